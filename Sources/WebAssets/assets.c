// Printed from the folder by `UPDATE_REFERENCE=1 swift test --filter WebAssetsTests`; do not edit.

#include "WebAssets.h"

static const WebAsset all[] = {
    {0, 0, 0},
};

const WebAsset *web_assets(void) { return all; }
