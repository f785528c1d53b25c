import Platform

/// Connections that read: opened when they are needed, kept for the next one, so many at the most.
package final class ReaderPool<Connection: Sendable>: Sendable {
    private struct State {
        var idle: [Connection] = []
        var opened = 0
    }

    private let connectionsMax: Int
    private let state = Monitor(State())

    package init(connectionsMax: Int) { self.connectionsMax = connectionsMax }

    /// An idle connection, or a new one; waits while all are in use.
    package func take<Failure: Error>(_ open: () throws(Failure) -> Connection) throws(Failure) -> Connection {
        let taken: Connection?? = state.wait { state in
            if let connection = state.idle.popLast() { return .some(connection) }
            guard state.opened < connectionsMax else { return nil }
            state.opened += 1
            return .some(nil)
        }
        if let connection = taken ?? nil { return connection }
        do throws(Failure) {
            return try open()
        } catch {
            give(nil)
            throw error
        }
    }

    /// - Parameter connection: Nil for one that is of no use any more.
    package func give(_ connection: Connection?) {
        state.update { state in
            if let connection { state.idle.append(connection) } else { state.opened -= 1 }
        }
    }

    package func closeIdle() {
        state.update { state in
            state.opened -= state.idle.count
            state.idle = []
        }
    }
}
