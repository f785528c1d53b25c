#pragma once
#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot call.
static inline int aos_sqlite_db_config_int(sqlite3 *db, int option, int value) {
    int out = 0;
    return sqlite3_db_config(db, option, value, &out);
}
