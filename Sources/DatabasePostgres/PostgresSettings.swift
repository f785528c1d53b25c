#if Postgres
    import CPostgres
    import DatabaseCore

    /// Where the server is, and how long we wait for it.
    package struct PostgresSettings: Sendable {
        package static let readersMaxDefault = 8
        package static let statementMillisecondsDefault: Int64 = 30_000
        package static let lockMillisecondsDefault: Int64 = 10_000
        /// The server ends a transaction of ours that has said nothing for so long, so that a process that hangs does not
        /// keep the others from writing.
        static let idleTransactionMilliseconds: Int64 = 10_000
        static let connectSeconds = 5
        /// Sent bytes that nobody has confirmed for so long end a connection (Linux, tcp(7)).
        static let silenceMilliseconds = 10_000
        /// Generated columns came with it.
        static let serverVersionMin: Int32 = 120_000

        /// A connection URI of libpq's; TLS (`sslmode` …), several hosts and all else are parameters of it.
        package var url: String
        /// Connections that read, at the most.
        package var readersMax = readersMaxDefault
        package var statementMilliseconds = statementMillisecondsDefault
        package var lockMilliseconds = lockMillisecondsDefault

        package init(url: String) { self.url = url }

        /// Nil when the text is none that libpq understands.
        package static func isURL(_ text: String) -> Bool {
            guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") else { return false }
            let options = PQconninfoParse(text, nil)
            defer { PQconninfoFree(options) }
            return options != nil
        }

        /// What stands before the URL's own parameters is a default that they replace.
        func connect() -> OpaquePointer? {
            let pairs = [
                ("fallback_application_name", "aos-api"), ("connect_timeout", "\(Self.connectSeconds)"),
                ("tcp_user_timeout", "\(Self.silenceMilliseconds)"), ("dbname", url), ("client_encoding", "UTF8"),
            ]
            return withCStrings(pairs.map(\.0)) { keywords in
                withCStrings(pairs.map(\.1)) { values in PQconnectdbParams(keywords, values, 1) }
            }
        }

        /// Everything we look for has an index, and a plan is kept for as long as the connection: one that was made while a
        /// table was small must not read it whole when it has grown.
        func sessionText(for use: PostgresConnection.Use) -> String {
            let (lock, idle) =
                switch use {
                case .writing: (lockMilliseconds, Self.idleTransactionMilliseconds)
                // Nobody waits for a reader, and an audit may think for long about what it has read.
                case .reading: (lockMilliseconds, 0)
                case .migrating(let lockMilliseconds): (lockMilliseconds, 0)
                }
            return """
                SET statement_timeout = \(statementMilliseconds); SET lock_timeout = \(lock);
                SET idle_in_transaction_session_timeout = \(idle);
                SET jit = off; SET enable_seqscan = off; SET bytea_output = 'hex'
                """
        }

        private func withCStrings<Result>(
            _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
        ) -> Result {
            // One buffer with all of them, each ended by a NUL.
            var (bytes, starts): ([CChar], [Int]) = ([], [])
            for text in texts {
                starts.append(bytes.count)
                bytes += text.utf8CString
            }
            return bytes.withUnsafeBufferPointer { buffer in
                let pointers: [UnsafePointer<CChar>?] = starts.map { buffer.baseAddress! + $0 } + [nil]
                return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
            }
        }
    }
#endif
