// Printed from the folder by `UPDATE_REFERENCE=1 swift test --filter WebAssetsTests`; do not edit.

#include "WebAssets.h"

static const unsigned char file0[] = {
#embed "../../Sources/API/WebUI/app.css"
};
static const unsigned char file1[] = {
#embed "../../Sources/API/WebUI/app.js"
};
static const unsigned char file2[] = {
#embed "../../Sources/API/WebUI/app.webmanifest"
};
static const unsigned char file3[] = {
#embed "../../Sources/API/WebUI/core/ansi.js"
};
static const unsigned char file4[] = {
#embed "../../Sources/API/WebUI/core/api.js"
};
static const unsigned char file5[] = {
#embed "../../Sources/API/WebUI/core/dom.js"
};
static const unsigned char file6[] = {
#embed "../../Sources/API/WebUI/core/icons.js"
};
static const unsigned char file7[] = {
#embed "../../Sources/API/WebUI/core/keys.js"
};
static const unsigned char file8[] = {
#embed "../../Sources/API/WebUI/core/list.js"
};
static const unsigned char file9[] = {
#embed "../../Sources/API/WebUI/core/live.js"
};
static const unsigned char file10[] = {
#embed "../../Sources/API/WebUI/core/router.js"
};
static const unsigned char file11[] = {
#embed "../../Sources/API/WebUI/core/text.js"
};
static const unsigned char file12[] = {
#embed "../../Sources/API/WebUI/core/time.js"
};
static const unsigned char file13[] = {
#embed "../../Sources/API/WebUI/icon.svg"
};
static const unsigned char file14[] = {
#embed "../../Sources/API/WebUI/index.html"
};
static const unsigned char file15[] = {
#embed "../../Sources/API/WebUI/parts.css"
};
static const unsigned char file16[] = {
#embed "../../Sources/API/WebUI/parts/actions.js"
};
static const unsigned char file17[] = {
#embed "../../Sources/API/WebUI/parts/artifact.js"
};
static const unsigned char file18[] = {
#embed "../../Sources/API/WebUI/parts/audit.js"
};
static const unsigned char file19[] = {
#embed "../../Sources/API/WebUI/parts/call.js"
};
static const unsigned char file20[] = {
#embed "../../Sources/API/WebUI/parts/chain.js"
};
static const unsigned char file21[] = {
#embed "../../Sources/API/WebUI/parts/command.js"
};
static const unsigned char file22[] = {
#embed "../../Sources/API/WebUI/parts/decide.js"
};
static const unsigned char file23[] = {
#embed "../../Sources/API/WebUI/parts/dialog.js"
};
static const unsigned char file24[] = {
#embed "../../Sources/API/WebUI/parts/diff.js"
};
static const unsigned char file25[] = {
#embed "../../Sources/API/WebUI/parts/event.js"
};
static const unsigned char file26[] = {
#embed "../../Sources/API/WebUI/parts/form.js"
};
static const unsigned char file27[] = {
#embed "../../Sources/API/WebUI/parts/graph.js"
};
static const unsigned char file28[] = {
#embed "../../Sources/API/WebUI/parts/health.js"
};
static const unsigned char file29[] = {
#embed "../../Sources/API/WebUI/parts/history.js"
};
static const unsigned char file30[] = {
#embed "../../Sources/API/WebUI/parts/incident.js"
};
static const unsigned char file31[] = {
#embed "../../Sources/API/WebUI/parts/inspection.js"
};
static const unsigned char file32[] = {
#embed "../../Sources/API/WebUI/parts/json.js"
};
static const unsigned char file33[] = {
#embed "../../Sources/API/WebUI/parts/killswitch.js"
};
static const unsigned char file34[] = {
#embed "../../Sources/API/WebUI/parts/lanes.js"
};
static const unsigned char file35[] = {
#embed "../../Sources/API/WebUI/parts/layers.js"
};
static const unsigned char file36[] = {
#embed "../../Sources/API/WebUI/parts/marked.js"
};
static const unsigned char file37[] = {
#embed "../../Sources/API/WebUI/parts/message.js"
};
static const unsigned char file38[] = {
#embed "../../Sources/API/WebUI/parts/palette.js"
};
static const unsigned char file39[] = {
#embed "../../Sources/API/WebUI/parts/plan.js"
};
static const unsigned char file40[] = {
#embed "../../Sources/API/WebUI/parts/planform.js"
};
static const unsigned char file41[] = {
#embed "../../Sources/API/WebUI/parts/policy.js"
};
static const unsigned char file42[] = {
#embed "../../Sources/API/WebUI/parts/runs.js"
};
static const unsigned char file43[] = {
#embed "../../Sources/API/WebUI/parts/scrub.js"
};
static const unsigned char file44[] = {
#embed "../../Sources/API/WebUI/parts/sentence.js"
};
static const unsigned char file45[] = {
#embed "../../Sources/API/WebUI/parts/shell.js"
};
static const unsigned char file46[] = {
#embed "../../Sources/API/WebUI/parts/states.js"
};
static const unsigned char file47[] = {
#embed "../../Sources/API/WebUI/parts/status.js"
};
static const unsigned char file48[] = {
#embed "../../Sources/API/WebUI/parts/step.js"
};
static const unsigned char file49[] = {
#embed "../../Sources/API/WebUI/parts/table.js"
};
static const unsigned char file50[] = {
#embed "../../Sources/API/WebUI/parts/toast.js"
};
static const unsigned char file51[] = {
#embed "../../Sources/API/WebUI/screens.css"
};
static const unsigned char file52[] = {
#embed "../../Sources/API/WebUI/screens/approval.js"
};
static const unsigned char file53[] = {
#embed "../../Sources/API/WebUI/screens/approvals.js"
};
static const unsigned char file54[] = {
#embed "../../Sources/API/WebUI/screens/event.js"
};
static const unsigned char file55[] = {
#embed "../../Sources/API/WebUI/screens/help.js"
};
static const unsigned char file56[] = {
#embed "../../Sources/API/WebUI/screens/home.js"
};
static const unsigned char file57[] = {
#embed "../../Sources/API/WebUI/screens/incident.js"
};
static const unsigned char file58[] = {
#embed "../../Sources/API/WebUI/screens/incidents.js"
};
static const unsigned char file59[] = {
#embed "../../Sources/API/WebUI/screens/inspector.js"
};
static const unsigned char file60[] = {
#embed "../../Sources/API/WebUI/screens/login.js"
};
static const unsigned char file61[] = {
#embed "../../Sources/API/WebUI/screens/missing.js"
};
static const unsigned char file62[] = {
#embed "../../Sources/API/WebUI/screens/newrun.js"
};
static const unsigned char file63[] = {
#embed "../../Sources/API/WebUI/screens/notifications.js"
};
static const unsigned char file64[] = {
#embed "../../Sources/API/WebUI/screens/pipeline.js"
};
static const unsigned char file65[] = {
#embed "../../Sources/API/WebUI/screens/rooms.js"
};
static const unsigned char file66[] = {
#embed "../../Sources/API/WebUI/screens/run.js"
};
static const unsigned char file67[] = {
#embed "../../Sources/API/WebUI/screens/runs.js"
};
static const unsigned char file68[] = {
#embed "../../Sources/API/WebUI/screens/search.js"
};
static const unsigned char file69[] = {
#embed "../../Sources/API/WebUI/screens/system.js"
};
static const unsigned char file70[] = {
#embed "../../Sources/API/WebUI/screens/thread.js"
};
static const unsigned char file71[] = {
#embed "../../Sources/API/WebUI/screens/threads.js"
};
static const unsigned char file72[] = {
#embed "../../Sources/API/WebUI/screens/timeline.js"
};
static const unsigned char file73[] = {
#embed "../../Sources/API/WebUI/theme.js"
};

static const WebAsset all[] = {
    {"app.css", file0, sizeof file0},
    {"app.js", file1, sizeof file1},
    {"app.webmanifest", file2, sizeof file2},
    {"core/ansi.js", file3, sizeof file3},
    {"core/api.js", file4, sizeof file4},
    {"core/dom.js", file5, sizeof file5},
    {"core/icons.js", file6, sizeof file6},
    {"core/keys.js", file7, sizeof file7},
    {"core/list.js", file8, sizeof file8},
    {"core/live.js", file9, sizeof file9},
    {"core/router.js", file10, sizeof file10},
    {"core/text.js", file11, sizeof file11},
    {"core/time.js", file12, sizeof file12},
    {"icon.svg", file13, sizeof file13},
    {"index.html", file14, sizeof file14},
    {"parts.css", file15, sizeof file15},
    {"parts/actions.js", file16, sizeof file16},
    {"parts/artifact.js", file17, sizeof file17},
    {"parts/audit.js", file18, sizeof file18},
    {"parts/call.js", file19, sizeof file19},
    {"parts/chain.js", file20, sizeof file20},
    {"parts/command.js", file21, sizeof file21},
    {"parts/decide.js", file22, sizeof file22},
    {"parts/dialog.js", file23, sizeof file23},
    {"parts/diff.js", file24, sizeof file24},
    {"parts/event.js", file25, sizeof file25},
    {"parts/form.js", file26, sizeof file26},
    {"parts/graph.js", file27, sizeof file27},
    {"parts/health.js", file28, sizeof file28},
    {"parts/history.js", file29, sizeof file29},
    {"parts/incident.js", file30, sizeof file30},
    {"parts/inspection.js", file31, sizeof file31},
    {"parts/json.js", file32, sizeof file32},
    {"parts/killswitch.js", file33, sizeof file33},
    {"parts/lanes.js", file34, sizeof file34},
    {"parts/layers.js", file35, sizeof file35},
    {"parts/marked.js", file36, sizeof file36},
    {"parts/message.js", file37, sizeof file37},
    {"parts/palette.js", file38, sizeof file38},
    {"parts/plan.js", file39, sizeof file39},
    {"parts/planform.js", file40, sizeof file40},
    {"parts/policy.js", file41, sizeof file41},
    {"parts/runs.js", file42, sizeof file42},
    {"parts/scrub.js", file43, sizeof file43},
    {"parts/sentence.js", file44, sizeof file44},
    {"parts/shell.js", file45, sizeof file45},
    {"parts/states.js", file46, sizeof file46},
    {"parts/status.js", file47, sizeof file47},
    {"parts/step.js", file48, sizeof file48},
    {"parts/table.js", file49, sizeof file49},
    {"parts/toast.js", file50, sizeof file50},
    {"screens.css", file51, sizeof file51},
    {"screens/approval.js", file52, sizeof file52},
    {"screens/approvals.js", file53, sizeof file53},
    {"screens/event.js", file54, sizeof file54},
    {"screens/help.js", file55, sizeof file55},
    {"screens/home.js", file56, sizeof file56},
    {"screens/incident.js", file57, sizeof file57},
    {"screens/incidents.js", file58, sizeof file58},
    {"screens/inspector.js", file59, sizeof file59},
    {"screens/login.js", file60, sizeof file60},
    {"screens/missing.js", file61, sizeof file61},
    {"screens/newrun.js", file62, sizeof file62},
    {"screens/notifications.js", file63, sizeof file63},
    {"screens/pipeline.js", file64, sizeof file64},
    {"screens/rooms.js", file65, sizeof file65},
    {"screens/run.js", file66, sizeof file66},
    {"screens/runs.js", file67, sizeof file67},
    {"screens/search.js", file68, sizeof file68},
    {"screens/system.js", file69, sizeof file69},
    {"screens/thread.js", file70, sizeof file70},
    {"screens/threads.js", file71, sizeof file71},
    {"screens/timeline.js", file72, sizeof file72},
    {"theme.js", file73, sizeof file73},
    {0, 0, 0},
};

const WebAsset *web_assets(void) { return all; }
