// A page that a browser kept for its "back" button is asked for again: its session may have ended meanwhile.
"use strict";
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
