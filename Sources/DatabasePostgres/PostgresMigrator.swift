#if Postgres
    import CPostgres
    import DatabaseCore

    /// Brings the schema up to date, one numbered step after the other, while no other process does.
    enum PostgresMigrator {
        private static let lockKey: Int64 = 0x616F_735F_6D69_6772
        /// How long it is waited for another process that migrates.
        private static let lockMilliseconds: Int64 = 120_000

        /// - Parameters:
        ///   - settings: Those of the role that may change the schema.
        ///   - role: Who is to work with the tables; nil for the same.
        ///   - appendOnly: Tables that this role may add to and nothing else, but for changing the columns that are named:
        ///     the tables' triggers say how.
        static func migrate(
            _ settings: PostgresSettings, _ migrations: [Migration], grantingTo role: String?,
            appendOnly: [String: [String]]
        ) throws(DatabaseError) {
            let connection = try PostgresConnection(settings, for: .migrating(lockMilliseconds: lockMilliseconds))
            guard PQserverVersion(connection.handle) >= PostgresSettings.serverVersionMin else {
                throw DatabaseError(
                    .storage,
                    "Postgres \(PQserverVersion(connection.handle) / 10_000) is too old: 12 or newer is needed")
            }
            let encoding = try connection.text("SELECT current_setting('server_encoding') AS value")
            guard encoding == "UTF8" else {
                throw DatabaseError(
                    .storage,
                    "the database's encoding: expected UTF8, found \(encoding); create it with ENCODING 'UTF8'")
            }
            try connection.run("SELECT pg_advisory_lock(\(lockKey))")
            // The lock goes with the connection, also when something fails.
            let hasTable = try connection.text("SELECT to_regclass('schema_migrations')::text AS value") != ""
            if !hasTable { try connection.run(bookkeeping) }
            let applied = Int(
                try connection.text("SELECT coalesce(max(version), 0)::text AS value FROM schema_migrations"))
            let pending = try Migration.pending(migrations, applied: applied ?? 0)
            if !pending.isEmpty {
                // All or nothing; what fails goes with the connection.
                try connection.run("BEGIN")
                for migration in pending {
                    for statement in migration.schema.postgres {
                        precondition(statement.bindings.isEmpty, "a schema has no values: \(statement.text)")
                        try connection.run(statement.text)
                    }
                    try connection.send(
                        "INSERT INTO schema_migrations (version, name) VALUES (\(migration.number), \(migration.name))")
                    try connection.finish()
                }
                try connection.run("COMMIT")
            }
            if let role { try grant(to: role, appendOnly, connection) }
        }

        private static let bookkeeping = """
            BEGIN;
            CREATE TABLE schema_migrations (
                version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now());
            CREATE TABLE op_writer (
                one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), writer TEXT COLLATE "C" NOT NULL);
            INSERT INTO op_writer (writer) VALUES ('');
            CREATE FUNCTION op_require_writer(expected TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
            BEGIN
                IF (SELECT writer FROM op_writer) IS DISTINCT FROM expected THEN
                    RAISE EXCEPTION 'another process has written' USING ERRCODE = '40001';
                END IF;
            END $$;
            COMMIT
            """

        /// What the api needs and no more: its role cannot change or remove a recorded event, whatever it is made to send.
        private static func grant(
            to role: String, _ appendOnly: [String: [String]], _ connection: PostgresConnection
        ) throws(DatabaseError) {
            let name = "\"\(role.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
            let lists = try connection.query(
                "SELECT tablename AS value FROM pg_tables WHERE schemaname = current_schema() AND tableowner = current_user"
            )
            let schema = try connection.text("SELECT quote_ident(current_schema()) AS value")
            var statements = [
                "GRANT USAGE ON SCHEMA \(schema) TO \(name)",
                "GRANT USAGE ON ALL SEQUENCES IN SCHEMA \(schema) TO \(name)",
            ]
            for row in 0..<lists.rows {
                let table = try PostgresRow(result: lists, row: row).text()
                let rights =
                    switch table {
                    case "schema_migrations": "SELECT"
                    case "evt_stream_heads": "SELECT, INSERT, UPDATE"
                    default:
                        switch appendOnly[table] {
                        case nil: "SELECT, INSERT, UPDATE, DELETE"
                        case []?: "SELECT, INSERT"
                        case let columns?: "SELECT, INSERT, UPDATE (\(columns.joined(separator: ", ")))"
                        }
                    }
                statements.append("REVOKE ALL ON \"\(table)\" FROM \(name)")
                statements.append("GRANT \(rights) ON \"\(table)\" TO \(name)")
            }
            try connection.run(statements.joined(separator: ";\n"))
        }
    }

    extension PostgresConnection {
        /// The column `value` of the first row; empty for null or none.
        func text(_ statement: SQL) throws(DatabaseError) -> String {
            let result = try query(statement)
            return result.rows > 0 ? try PostgresRow(result: result, row: 0).text() : ""
        }
    }

    extension PostgresRow {
        fileprivate func text() throws(DatabaseError) -> String {
            do {
                return try get("value", as: String?.self) ?? ""
            } catch {
                throw error as? DatabaseError ?? DatabaseError(.statement, "\(error)")
            }
        }
    }
#endif
