import { concat, type Bytes } from '../../src/pki/bytes.ts';
import { copyTree, nodesOf, readTree, writeTree } from './der-tree.ts';

const maxTrials = 600;

/** A smaller input with which the same still happens: without values of its tree, then without runs of bytes. */
export async function reduce(input: Bytes, stillHappens: (smaller: Bytes) => Promise<boolean>): Promise<Bytes> {
  let best = input;
  let trials = 0;
  const isBetter = async (candidate: Bytes): Promise<boolean> => {
    if (trials >= maxTrials || candidate.length >= best.length) return false;
    trials++;
    if (!(await stillHappens(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let improved = true; improved && trials < maxTrials;) {
    improved = false;
    for (const candidate of withoutOneValue(best)) improved ||= await isBetter(candidate);
    for (let size = best.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < best.length && trials < maxTrials;) {
        if (await isBetter(concat(best.subarray(0, at), best.subarray(at + size)))) improved = true;
        else at += size;
      }
    }
  }
  return best;
}

/** The same tree, each time without another value. */
function withoutOneValue(der: Bytes): Bytes[] {
  try {
    const tree = readTree(der);
    return nodesOf(tree).flatMap((node, which) =>
      (node.parts ?? []).map((_, part) => {
        const smaller = copyTree(tree);
        nodesOf(smaller)[which]?.parts?.splice(part, 1);
        return writeTree(smaller);
      }),
    );
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
