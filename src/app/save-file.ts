/** Lets the person save a file made in the browser. */
export function saveFile(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser takes its copy when the download begins, some time after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
