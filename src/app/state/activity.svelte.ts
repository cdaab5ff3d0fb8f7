/** What the shell must know of a procedure that is running, whichever page started it. Part of the first screen. */
class Activity {
  /** A write to a key is under way: nothing may close, reload or replace this page. Set by `holdPage` alone. */
  writing = $state(false);
  /** Where the running procedure is shown; the shell links there from every other page. */
  page = $state<string | undefined>();
  /** A procedure is under way that waits for nobody in front of the screen. */
  running = false;
}

export const activity = new Activity();
