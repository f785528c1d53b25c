/// How a supervisor (`aos up`) stands with the programs it looks after. It writes this beside the data, atomically, at
/// every change; the api tells of it in `POST /v1/system/health`. Operational: history survives its loss.
package struct Supervision: Codable, Hashable, Sendable {
    /// In the data directory.
    package static let fileName = "supervisor.json"
    /// Whoever supervises the data directory holds the lock of this file; who does not hold it is gone.
    package static let lockFileName = "supervisor.lock"
    package static let bytesMax = 64 << 10

    package enum Mode: String, CaseIterable, Codable, Sendable {
        /// The api and an engine are both looked after.
        case embedded
        /// Only the api: somebody else runs engines.
        case external
    }

    package enum State: String, CaseIterable, Codable, Sendable {
        case starting, running
        /// A program was started again within the window, or is about to be.
        case degraded
        /// It has given up, and everything was stopped.
        case fatal
        case stopping
    }

    package enum ProgramState: String, CaseIterable, Codable, Sendable {
        case starting, running
        /// It has ended, and is started again at ``Program/nextStartAt``.
        case backingOff = "backing_off"
        case ended
    }

    /// One of the programs.
    package struct Program: Codable, Hashable, Sendable {
        package var name: String
        package var state: ProgramState
        /// Since the supervisor began.
        package var restarts: Int
        /// Within the window: what counts towards the limit.
        package var recentRestarts: Int
        package var startedAt: Timestamp?
        package var nextStartAt: Timestamp?
        /// How it ended last, such as `exit 1` or `signal 9`.
        package var lastExit: String?
        package var lastExitAt: Timestamp?

        package init(name: String) {
            (self.name, state, restarts, recentRestarts) = (name, .starting, 0, 0)
        }
    }

    package var mode: Mode
    package var state: State
    /// Why it has given up.
    package var reason: String?
    package var pid: Int64
    /// Where the api answers; nil until that is known.
    package var url: String?
    package var startedAt: Timestamp
    package var updatedAt: Timestamp
    /// More restarts of one program within the window than this are fatal.
    package var restartsMax: Int
    package var windowMs: Int64
    package var programs: [Program]

    package init(
        mode: Mode, pid: Int64, restartsMax: Int, windowMs: Int64, programs: [Program], at time: Timestamp
    ) {
        (self.mode, state, self.pid, self.programs) = (mode, .starting, pid, programs)
        (self.restartsMax, self.windowMs, startedAt, updatedAt) = (restartsMax, windowMs, time, time)
    }
}
