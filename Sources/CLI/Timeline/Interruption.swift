package import HTTPClient
import Platform

/// Ctrl-C, SIGTERM or a closed terminal: ends what a command is looking at, and nothing else.
package final class Interruption: Sendable {
    package let cancellation = HTTPCancellation()
    private let state = Monitor(false)

    package init() {}

    /// Listens to the process's signals. Before any other thread starts.
    package static func bySignals() throws -> Interruption {
        let interruption = Interruption()
        let signals = try Signals()
        Thread.start("signals") {
            while let signal = try? signals.next() {
                _ = signal
                interruption.interrupt()
            }
        }
        return interruption
    }

    package func interrupt() {
        state.update { $0 = true }
        cancellation.cancel()
    }

    package var isInterrupted: Bool { state.read { $0 } }

    /// Waits. False when interrupted.
    package func pause(milliseconds: Int64) -> Bool {
        state.wait(milliseconds: milliseconds) { $0 ? true : nil } == nil
    }

    /// Waits for the interruption.
    package func wait(milliseconds: Int64) -> Bool {
        state.wait(milliseconds: milliseconds) { $0 ? true : nil } ?? false
    }
}
