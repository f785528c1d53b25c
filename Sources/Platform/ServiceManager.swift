import CLinux

/// The service manager that started this program, as systemd defines it (sd_notify(3)), without libsystemd.
///
/// Where there is none nothing is sent. What cannot be sent is not tried again: a manager that does not listen has its own
/// time-outs.
package struct ServiceManager: Sendable {
    package enum News: Hashable, Sendable {
        /// It serves: after the schema is up to date and the socket is bound; or what it read anew is in force.
        case ready(String)
        /// It reads its settings anew; ``ready(_:)`` follows.
        case reloading
        case stopping
        /// It lives; see ``Watchdog``.
        case alive
    }

    private let socketPath: String
    /// Within which it has to hear ``News/alive``, before it takes the program for dead; nil when it does not watch.
    package let watchdogMilliseconds: Int64?

    /// - Parameter environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, if they are for this process.
    package init(_ environment: [String: String], processID: Int32 = Program.processID) {
        socketPath = environment["NOTIFY_SOCKET"] ?? ""
        let watched = environment["WATCHDOG_PID"] ?? ""
        let isWatched = !socketPath.isEmpty && (watched.isEmpty || watched == String(processID))
        let milliseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { $0 / 1000 } ?? 0
        watchdogMilliseconds = isWatched && milliseconds > 0 ? milliseconds : nil
    }

    package func notify(_ news: News) {
        guard !socketPath.isEmpty else { return }
        _ = aos_notify(socketPath, lines(news))
    }

    private func lines(_ news: News) -> String {
        switch news {
        case .ready(let status): "READY=1\nSTATUS=\(status.filter { $0 != "\n" })"
        // systemd 253 and later compares the time with that of the signal it has sent.
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(SystemClock().monotonicNanoseconds() / 1000)"
        case .stopping: "STOPPING=1"
        case .alive: "WATCHDOG=1"
        }
    }
}

/// Tells the service manager that a program lives: at half the time it is given, after each of its vital parts has
/// answered once more. A part that hangs silences it, and the service manager starts the program anew.
package final class Watchdog: Sendable {
    /// Asks a part; it answers from where it does its work.
    package typealias Question = @Sendable (_ answer: @escaping @Sendable () -> Void) -> Void

    private struct State {
        var open = 0
        var isStopping = false
    }

    private let manager: ServiceManager
    private let questions: [Question]
    private let state = Monitor(State())

    package init(_ manager: ServiceManager, asks questions: [Question]) {
        (self.manager, self.questions) = (manager, questions)
    }

    /// Begins; nothing where nobody watches.
    package func start() {
        guard let limit = manager.watchdogMilliseconds else { return }
        Thread.start("watchdog") { [self] in
            repeat {
                guard allAnswer() else { return }
                manager.notify(.alive)
            } while state.wait(milliseconds: max(1, limit / 2), until: { $0.isStopping ? true : nil }) == nil
        }
    }

    package func stop() { state.update { $0.isStopping = true } }

    /// Waits for as long as it takes. False when it is stopped meanwhile.
    private func allAnswer() -> Bool {
        state.update { $0.open = questions.count }
        for question in questions {
            question { [state] in state.update { $0.open -= 1 } }
        }
        return state.wait { $0.isStopping ? false : $0.open == 0 ? true : nil } ?? false
    }
}
