import Platform
import Synchronization

/// Stops requests in flight from another thread; a request that comes later fails at once.
package final class HTTPCancellation: Sendable {
    private struct State {
        var isCancelled = false
        var sockets: [Int32: Descriptor] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    package func cancel() {
        // Within the lock: a socket that is no longer watched may belong to another request.
        state.withLock { state in
            state.isCancelled = true
            for socket in state.sockets.values { TCP.shutdownBoth(socket) }
            state.sockets = [:]
        }
    }

    /// Names a socket that a cancellation has to wake. False when it is cancelled already.
    func watch(_ socket: Descriptor) -> Bool {
        state.withLock { state in
            if !state.isCancelled { state.sockets[socket.number] = socket }
            return !state.isCancelled
        }
    }

    func unwatch(_ socket: Descriptor) { state.withLock { _ = $0.sockets.removeValue(forKey: socket.number) } }
}
