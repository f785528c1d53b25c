// Light, dark or as the system says: set before the first paint, so that nothing flashes. A classic script for that reason.
(function () {
  'use strict';
  try {
    var theme = localStorage.getItem('aos.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (error) {
    // Without storage the system decides.
  }
})();
