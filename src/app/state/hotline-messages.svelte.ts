import type { HotlineMessage } from '../../service/hotline-messages.ts';

/** What everybody should hear before they call. */
class HotlineMessages {
  list = $state.raw<readonly HotlineMessage[]>([]);
}
export const hotlineMessages = new HotlineMessages();
