#if Postgres
    import CPostgres
    import DatabaseCore

    /// The server's errors in our words. Source: PostgreSQL documentation, appendix A, error codes.
    enum PostgresError {
        private static let detailBytesMax = 500

        static func error(
            _ result: OpaquePointer?, _ fallback: UnsafePointer<CChar>?, statement: String?
        ) -> DatabaseError {
            guard let result, let state = field(result, PG_DIAG_SQLSTATE) else {
                return DatabaseError(.statement, oneLine(fallback), statement: statement)
            }
            let message = field(result, PG_DIAG_MESSAGE_PRIMARY) ?? ""
            let (kind, hint) = meaning(of: state)
            return DatabaseError(
                kind, "Postgres: \(message) (\(state))\(hint.map { "; \($0)" } ?? "")", statement: statement)
        }

        /// What an error code means to us, and what to do about it.
        static func meaning(of state: String) -> (DatabaseError.Kind, hint: String?) {
            switch state {
            case "40001", "40P01": (.conflict, nil)
            case "53100": (.full, "the disk of the Postgres server is full: free some space there")
            case "53300":
                (.unavailable, "raise max_connections of the server, or lower DATABASE_READERS_MAX")
            case "55P03":
                (
                    .unavailable,
                    "another process holds the lock for longer than DATABASE_LOCK_TIMEOUT_MS: see pg_stat_activity"
                )
            case "57014": (.unavailable, "it took longer than DATABASE_STATEMENT_TIMEOUT_MS")
            case "25006":
                (
                    .unavailable,
                    "the server takes no writes (a standby?): add target_session_attrs=read-write to DATABASE_URL"
                )
            case "42501":
                (
                    .statement,
                    "the role of DATABASE_URL lacks a privilege: let DATABASE_MIGRATION_URL's role migrate and grant"
                )
            // Not what we should have sent.
            case "08P01": (.statement, nil)
            default:
                switch state.prefix(2) {
                case "23": (.constraint, nil)
                // Connections, resources, operator's interventions, failures of the server and its disk: it may be back
                // soon, and nothing is acknowledged meanwhile.
                case "08", "53", "57", "58", "XX": (.unavailable, nil)
                // Ended by the server: idle in a transaction for too long.
                case "25" where state == "25P03" || state == "25P04": (.unavailable, nil)
                default: (.statement, nil)
                }
            }
        }

        /// Whether the server ends the connection with this.
        static func isLastWord(_ result: OpaquePointer?) -> Bool {
            guard let severity = result.flatMap({ field($0, PG_DIAG_SEVERITY_NONLOCALIZED) }) else { return false }
            return severity == "FATAL" || severity == "PANIC"
        }

        /// A message of libpq's as one line. It never has the password in it.
        static func oneLine(_ message: UnsafePointer<CChar>?) -> String {
            let text = message.map { String(cString: $0) } ?? ""
            let line = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(
                separator: " ")
            return String(line.prefix(detailBytesMax))
        }

        private static func field(_ result: OpaquePointer, _ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }

        private static let PG_DIAG_SQLSTATE = Int32(UInt8(ascii: "C"))
        private static let PG_DIAG_SEVERITY_NONLOCALIZED = Int32(UInt8(ascii: "V"))
        private static let PG_DIAG_MESSAGE_PRIMARY = Int32(UInt8(ascii: "M"))
    }
#endif
