#if Postgres
    import CPostgres
    import DatabaseCore
    import Platform
    import Synchronization

    /// Hears when another process has committed. A notification says only that there is more; and since one can be lost
    /// with the connection, it is also assumed now and then.
    final class PostgresListener: Sendable {
        private static let channel = "aos_log"
        static let notification = SQL(unsafeText: "NOTIFY \(channel)")
        /// How late a lost notification is noticed.
        static let fallbackMilliseconds: Int32 = 1_000
        static let reconnectMilliseconds: Int64 = 500

        private struct State {
            var isStopping = false
            var socket: Int32?
        }

        private let settings: PostgresSettings
        private let ownProcess: OwnProcess
        private let onMore: @Sendable () -> Void
        private let state = Monitor(State())

        init(_ settings: PostgresSettings, _ ownProcess: OwnProcess, onMore: @escaping @Sendable () -> Void) {
            (self.settings, self.ownProcess, self.onMore) = (settings, ownProcess, onMore)
        }

        func start() -> Thread {
            Thread.start("db-listener") { [self] in
                while !isStopping {
                    do throws(DatabaseError) {
                        try listen()
                    } catch {
                        _ = state.wait(milliseconds: Self.reconnectMilliseconds) { $0.isStopping ? true : nil }
                    }
                    onMore()
                }
            }
        }

        func stop() {
            state.update { state in
                state.isStopping = true
                if let socket = state.socket { aos_pq_shut_down(socket) }
            }
        }

        private var isStopping: Bool { state.read { $0.isStopping } }

        /// Returns when told to stop.
        /// - Throws: When the connection is lost.
        private func listen() throws(DatabaseError) {
            let connection = try PostgresConnection(settings, for: .reading)
            let socket = PQsocket(connection.handle)
            state.update { $0.socket = socket }
            defer { state.update { $0.socket = nil } }
            try connection.run("LISTEN \(Self.channel)")
            // What was committed before anybody listened.
            onMore()
            while !isStopping {
                let isReadable = aos_pq_wait_readable(socket, Self.fallbackMilliseconds) == 1
                guard PQconsumeInput(connection.handle) == 1 else {
                    throw DatabaseError(.unavailable, "the connection that listens was lost")
                }
                var isMore = !isReadable
                while let notice = PQnotifies(connection.handle) {
                    isMore = isMore || notice.pointee.be_pid != ownProcess.id
                    PQfreemem(notice)
                }
                if isMore { onMore() }
            }
        }
    }
#endif
