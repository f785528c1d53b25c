#ifndef AOS_WEB_ASSETS_H
#define AOS_WEB_ASSETS_H

#include <stddef.h>

/// A file of the web UI, as bytes inside the program: there is nothing to install beside it.
typedef struct {
    /// Below `Sources/API/WebUI`, such as `app.css` or `screens/run.js`; null behind the last one.
    const char *path;
    const unsigned char *bytes;
    size_t length;
} WebAsset;

/// All files of the web UI, by path; the one behind the last has no path.
const WebAsset *web_assets(void);

#endif
