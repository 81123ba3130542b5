// Before anything is drawn: the theme that was chosen, if one was.
"use strict";
try {
  const theme = localStorage.getItem("gotrace-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's wish holds.
}
