import CLinux
import Synchronization

/// The exec seam: starts a program and stays with it until nothing of it is left.
package protocol ProcessRunner: Sendable {
    /// Runs the program to its end, on the calling thread. Everything it started is gone when this returns.
    /// - Parameter output: Gets what the program writes, as it comes, on the calling thread.
    /// - Throws: when the program could not be started: then nothing has happened.
    func run(
        _ command: ProcessCommand, stop: StopSignal, output: (ProcessStream, ArraySlice<UInt8>) -> Void
    ) throws(SystemError) -> ProcessEnd
}

package enum ProcessStream: Sendable { case standardOutput, standardError }

/// A program to start, in a session of its own, with exactly this environment (and the sentinel's mark, if there is one)
/// and no descriptors but 0, 1 and 2.
package struct ProcessCommand: Sendable {
    /// An absolute path.
    package var executable: String
    /// With the program's name as the first.
    package var arguments: [String]
    package var environment: [String: String]
    package var directory: String?
    package var standardInput: [UInt8] = []
    /// From the start; nil is no limit.
    package var timeoutMilliseconds: Int64?
    /// Between SIGTERM and SIGKILL.
    package var graceMilliseconds: Int64 = 5_000
    /// `NAME=value` in the environment of everything that belongs to the program: by it are found those that have left
    /// its session.
    package var tag: String?
    /// Set for a program that runs others in a pid namespace: gets bytes by its descriptor 4, reports on descriptor 3.
    package var supervisor: Supervisor?

    package struct Supervisor: Sendable {
        package var input: [UInt8]
        package init(input: [UInt8]) { self.input = input }
    }

    package init(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) {
        (self.executable, self.arguments, self.environment) = (executable, arguments, environment)
    }
}

/// How a program ended.
package struct ProcessEnd: Sendable, Hashable {
    package enum Exit: Sendable, Hashable {
        case code(Int)
        case signal(Int)
    }

    package enum Reason: Sendable, Hashable {
        case byItself, timeout
        case stopped(StopSignal.Cause)
    }

    package var exit: Exit
    package var reason: Reason
    package var durationMilliseconds: Int64
    /// Processes that outlived even SIGKILL, which the kernel allows only while they wait for a device.
    package var survivors: Int
    /// What the supervisor reported.
    package var report: [UInt8]

    package init(
        exit: Exit, reason: Reason = .byItself, durationMilliseconds: Int64 = 0, survivors: Int = 0,
        report: [UInt8] = []
    ) {
        (self.exit, self.reason, self.durationMilliseconds) = (exit, reason, durationMilliseconds)
        (self.survivors, self.report) = (survivors, report)
    }
}

/// Says from any thread that some work must stop, once, and why.
package final class StopSignal: Sendable {
    package enum Cause: String, Sendable, Hashable {
        /// The lease is gone: somebody else may be at it.
        case lost
        case cancelled
        /// The program shall end.
        case drained
        /// A limit of the run was reached.
        case limit
    }

    private struct State {
        var cause: Cause?
        var nextHandler = 0
        var handlers: [Int: @Sendable (Cause) -> Void] = [:]
    }

    private let state = Monitor(State())

    package init() {}

    package var cause: Cause? { state.read { $0.cause } }

    /// The first cause counts.
    package func stop(_ cause: Cause) {
        let handlers = state.update { state -> [@Sendable (Cause) -> Void] in
            guard state.cause == nil else { return [] }
            state.cause = cause
            defer { state.handlers = [:] }
            return Array(state.handlers.values)
        }
        for handler in handlers { handler(cause) }
    }

    /// Calls `handler` on the stopping thread; at once if it has stopped already. It must not block.
    package func onStop<Result>(
        _ handler: @escaping @Sendable (Cause) -> Void, during body: () throws -> Result
    ) rethrows -> Result {
        let (id, cause) = state.update { state -> (Int, Cause?) in
            state.nextHandler += 1
            if state.cause == nil { state.handlers[state.nextHandler] = handler }
            return (state.nextHandler, state.cause)
        }
        if let cause { handler(cause) }
        defer { state.update { _ = $0.handlers.removeValue(forKey: id) } }
        return try body()
    }

    /// Sleeps, unless stopped. Returns the cause if it was.
    package func wait(milliseconds: Int64) -> Cause? { state.wait(milliseconds: milliseconds) { $0.cause } ?? nil }
}

/// Processes of the kernel.
package struct SystemProcesses: ProcessRunner {
    /// How long output is still read after the program has ended, while something else keeps its pipes open.
    package static let drainMilliseconds: Int64 = 1_000
    private static let readBytes = 64 << 10
    private static let reportBytesMax = 16 << 10
    /// Rounds of SIGKILL, in case something forks as it dies.
    private static let killRounds = 50
    private static let killRoundMilliseconds: Int64 = 20

    private let clock = SystemClock()

    package init() { _ = Self.ignoresBrokenPipes }

    /// A program that does not read its input must not end this one.
    private static let ignoresBrokenPipes: Bool = {
        aos_ignore_broken_pipes()
        return true
    }()

    /// Makes orphans of our children our own, so that they can be found and reaped. Once, at the program's start.
    package static func becomeReaper() { _ = aos_subreaper() }

    /// Has what was started killed should this program be killed. Once, at the program's start.
    package static func setSentinel() { Sentinel.start() }

    package func run(
        _ command: ProcessCommand, stop: StopSignal, output: (ProcessStream, ArraySlice<UInt8>) -> Void
    ) throws(SystemError) -> ProcessEnd {
        var (child, input) = try Child.start(command)
        var watch = try Watch(child: child, input: input, command: command, clock: clock)
        input = nil
        stop.onStop({ [wakeUp = watch.wakeUp] _ in wakeUp.signal() }) {
            watch.run(stop: stop, output: output)
        }
        let survivors = killAll(child)
        Sentinel.forget(child.pid)
        watch.drain(output: output)
        ProcessTable.reapOrphans()
        return ProcessEnd(
            exit: watch.exit ?? .signal(9), reason: watch.reason,
            durationMilliseconds: clock.monotonicMilliseconds() - watch.start, survivors: survivors,
            report: watch.report)
    }

    /// Kills what is left of the program and returns how many could not be killed.
    private func killAll(_ child: Child) -> Int {
        var left: [Int32] = []
        for _ in 0..<Self.killRounds {
            left = ProcessTable.members(session: child.pid, tag: child.tag)
            if left.isEmpty { return 0 }
            for pid in left { kill(pid, SIGKILL) }
            ProcessTable.reapOrphans()
            var pause = timespec(tv_sec: 0, tv_nsec: Int(Self.killRoundMilliseconds) * 1_000_000)
            nanosleep(&pause, nil)
        }
        return left.count
    }

    /// One started program.
    private final class Child: Sendable {
        let pid: Int32
        let exitWatch: Descriptor
        let standardOutput: Descriptor
        let standardError: Descriptor
        let report: Descriptor?
        let tag: [UInt8]?

        private init(
            pid: Int32, exitWatch: Descriptor, standardOutput: Descriptor, standardError: Descriptor,
            report: Descriptor?, tag: [UInt8]?
        ) {
            (self.pid, self.exitWatch) = (pid, exitWatch)
            (self.standardOutput, self.standardError, self.report) = (standardOutput, standardError, report)
            self.tag = tag
        }

        /// The program, and where its input is written: the end comes when nobody holds that any more.
        static func start(_ command: ProcessCommand) throws(SystemError) -> (child: Child, input: Descriptor?) {
            let output = try Descriptor.pipe()
            let error = try Descriptor.pipe()
            let input = command.standardInput.isEmpty ? nil : try Descriptor.pipe()
            let nothing = try Descriptor.openToRead("/dev/null")
            var handed = [input?.reader ?? nothing, output.writer, error.writer]
            var report: (reader: Descriptor, writer: Descriptor)?
            if let supervisor = command.supervisor {
                let pipe = try Descriptor.pipe()
                let memory = Descriptor(Int32(try systemCall("memfd_create") { Int(aos_memfd("aos")) }))
                try memory.writeAll(supervisor.input)
                lseek(memory.number, 0, SEEK_SET)
                handed += [pipe.writer, memory]
                report = pipe
            }
            let (pid, exitWatch) = try spawn(command, handed)
            for descriptor in [output.reader, error.reader, input?.writer, report?.reader] {
                descriptor?.setNonBlocking(true)
            }
            let child = Child(
                pid: pid, exitWatch: exitWatch, standardOutput: output.reader, standardError: error.reader,
                report: report?.reader, tag: command.tag.map { Array($0.utf8) })
            return (child, input?.writer)
        }

        private static func spawn(
            _ command: ProcessCommand, _ handed: [Descriptor]
        ) throws(SystemError) -> (Int32, Descriptor) {
            var variables = command.environment
            if let mark = Sentinel.mark { variables[mark.name] = mark.value }
            let environment = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            let numbers = handed.map(\.number)
            let (pid, result) = withCStrings(command.arguments) { arguments in
                withCStrings(environment) { environment in
                    // Together, so that nobody reaps a child that is not yet known as ours.
                    ProcessTable.owned.withLock { owned -> (Int32, Int32) in
                        var pid: pid_t = 0
                        let result = aos_spawn_with(
                            &pid, command.executable, arguments, environment, command.directory, numbers,
                            Int32(numbers.count))
                        if result == 0 {
                            Sentinel.watch(pid)
                            owned.insert(pid)
                        }
                        return (pid, result)
                    }
                }
            }
            withExtendedLifetime(handed) {}
            guard result == 0 else { throw SystemError("spawn", command.executable, number: result) }
            do throws(SystemError) {
                return (pid, Descriptor(Int32(try systemCall("pidfd_open") { Int(aos_pidfd_open(pid)) })))
            } catch {
                kill(-pid, SIGKILL)
                _ = ProcessTable.reap(pid, wait: true)
                throw error
            }
        }
    }

    /// Stays with one program: feeds it, listens to it, and stops it when the time has come.
    private struct Watch {
        let wakeUp: WakeUp
        let start: Int64
        var exit: ProcessEnd.Exit?
        var reason = ProcessEnd.Reason.byItself
        var report: [UInt8] = []

        private let child: Child
        private let command: ProcessCommand
        private let clock: SystemClock
        private var input: Descriptor?
        private var sources: [Source]
        private var written = 0
        private var killAt: Int64?
        private var hasKilled = false

        private struct Source {
            var descriptor: Descriptor
            /// Nil for the supervisor's report.
            var stream: ProcessStream?
        }

        init(child: Child, input: Descriptor?, command: ProcessCommand, clock: SystemClock) throws(SystemError) {
            (self.child, self.command, self.clock) = (child, command, clock)
            wakeUp = try WakeUp()
            start = clock.monotonicMilliseconds()
            self.input = input
            sources = [
                Source(descriptor: child.standardOutput, stream: .standardOutput),
                Source(descriptor: child.standardError, stream: .standardError),
            ]
            if let report = child.report { sources.append(Source(descriptor: report, stream: nil)) }
        }

        mutating func run(stop: StopSignal, output: (ProcessStream, ArraySlice<UInt8>) -> Void) {
            while exit == nil {
                act(on: stop)
                poll(milliseconds: patience, watchingExit: true, output)
                exit = ProcessTable.reap(child.pid, wait: false)
            }
        }

        /// Reads what is still in the pipes, and for a short while what comes.
        mutating func drain(output: (ProcessStream, ArraySlice<UInt8>) -> Void) {
            input = nil
            let end = clock.monotonicMilliseconds() + SystemProcesses.drainMilliseconds
            while !sources.isEmpty {
                let left = end - clock.monotonicMilliseconds()
                guard left > 0 else { return }
                poll(milliseconds: left, watchingExit: false, output)
            }
        }

        private mutating func act(on stop: StopSignal) {
            let now = clock.monotonicMilliseconds()
            if killAt == nil {
                if let cause = stop.cause {
                    reason = .stopped(cause)
                    // Nothing is worth waiting for when the lease is gone: somebody else may have started.
                    terminate(now, grace: cause == .lost ? 0 : command.graceMilliseconds)
                } else if let limit = command.timeoutMilliseconds, now - start >= limit {
                    reason = .timeout
                    terminate(now, grace: command.graceMilliseconds)
                }
            }
            if let killAt, now >= killAt, !hasKilled {
                hasKilled = true
                kill(-child.pid, SIGKILL)
                for pid in ProcessTable.members(session: child.pid, tag: child.tag) { kill(pid, SIGKILL) }
            }
        }

        private mutating func terminate(_ now: Int64, grace: Int64) {
            killAt = now + grace
            guard grace > 0 else { return }
            let tagged = child.tag.map { ProcessTable.tagged($0) } ?? []
            if command.supervisor != nil, !tagged.isEmpty {
                // Not the supervisor: it would kill the rest before that could put things in order.
                for pid in tagged { kill(pid, SIGTERM) }
            } else {
                kill(-child.pid, SIGTERM)
                for pid in tagged { kill(pid, SIGTERM) }
            }
        }

        private var patience: Int64? {
            let next = hasKilled ? nil : killAt ?? command.timeoutMilliseconds.map { start + $0 }
            return next.map { max(0, $0 - clock.monotonicMilliseconds()) }
        }

        private mutating func poll(
            milliseconds: Int64?, watchingExit: Bool, _ output: (ProcessStream, ArraySlice<UInt8>) -> Void
        ) {
            var interests = sources.map { pollfd(fd: $0.descriptor.number, events: Int16(POLLIN), revents: 0) }
            interests.append(pollfd(fd: input?.number ?? -1, events: Int16(POLLOUT), revents: 0))
            interests.append(pollfd(fd: wakeUp.descriptor.number, events: Int16(POLLIN), revents: 0))
            interests.append(pollfd(fd: watchingExit ? child.exitWatch.number : -1, events: Int16(POLLIN), revents: 0))
            let timeout = milliseconds.map { Int32(clamping: $0) } ?? -1
            guard CLinux.poll(&interests, nfds_t(interests.count), timeout) > 0 else { return }
            var ended: [Int] = []
            for index in sources.indices where interests[index].revents != 0 {
                if !take(from: sources[index], output) { ended.append(index) }
            }
            if interests[sources.count].revents != 0 { feed() }
            if interests[sources.count + 1].revents != 0 { wakeUp.clear() }
            for index in ended.reversed() { sources.remove(at: index) }
        }

        /// False at the end.
        private mutating func take(
            from source: Source, _ output: (ProcessStream, ArraySlice<UInt8>) -> Void
        ) -> Bool {
            do throws(SystemError) {
                let bytes = try source.descriptor.read(upTo: SystemProcesses.readBytes)
                if bytes.isEmpty { return false }
                if let stream = source.stream {
                    output(stream, bytes[...])
                } else {
                    report += bytes.prefix(max(0, SystemProcesses.reportBytesMax - report.count))
                }
                return true
            } catch { return error.number == EAGAIN }
        }

        private mutating func feed() {
            guard let descriptor = input else { return }
            let rest = command.standardInput[written...]
            let sent = rest.withUnsafeBytes { write(descriptor.number, $0.baseAddress, $0.count) }
            if sent > 0 { written += sent }
            // A program that does not read its input is no failure.
            if sent < 0 && errno != EAGAIN && errno != EINTR || written == command.standardInput.count { input = nil }
        }
    }
}

/// What `/proc` says about processes that belong to ours.
package enum ProcessTable {
    private static let environmentBytesMax = 1 << 20
    private static let chainTries = 5

    /// The children that have a thread waiting for them.
    static let owned = Mutex<Set<Int32>>([])

    /// How the child ended; nil while it runs.
    static func reap(_ pid: Int32, wait: Bool) -> ProcessEnd.Exit? {
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, wait ? 0 : WNOHANG)
            if result == 0 { return nil }
            if result < 0, errno == EINTR { continue }
            owned.withLock { _ = $0.remove(pid) }
            if result < 0 { return .signal(Int(SIGKILL)) }
            return aos_wait_exited(status) != 0
                ? .code(Int(aos_wait_exit_code(status))) : .signal(Int(aos_wait_signal(status)))
        }
    }

    /// Buries orphans that became our children and have ended.
    static func reapOrphans() {
        let me = getpid()
        for pid in pids() {
            guard let entry = stat(pid), entry.parent == me, entry.isZombie else { continue }
            owned.withLock { owned in
                if !owned.contains(pid) { _ = waitpid(pid, nil, WNOHANG) }
            }
        }
    }

    /// The processes that run in the session, and those below this program that carry the tag.
    package static func members(session: Int32, tag: [UInt8]?) -> [Int32] {
        let me = getpid()
        return pids().filter { pid in
            guard pid != me, let entry = stat(pid), !entry.isZombie else { return false }
            return entry.session == session || tag.map { carries($0, pid) && isBelow(me, pid) } ?? false
        }
    }

    /// The processes below this program that carry the tag.
    package static func tagged(_ tag: [UInt8]) -> [Int32] {
        let me = getpid()
        return pids().filter { $0 != me && carries(tag, $0) && isBelow(me, $0) }
    }

    /// Whether the process descends from `ancestor`. Another engine may be at the same step by now: its processes carry
    /// the same tag and are none of ours. Our own orphans are ours, because we are their reaper.
    private static func isBelow(_ ancestor: Int32, _ pid: Int32) -> Bool {
        for _ in 0..<chainTries {
            var next = pid
            while let parent = stat(next)?.parent {
                if parent == ancestor { return true }
                if parent <= 1 { return false }
                next = parent
            }
            // One on the way has just ended: its children have another parent now.
            if stat(pid) == nil { return false }
        }
        return false
    }

    private static func carries(_ tag: [UInt8], _ pid: Int32) -> Bool {
        guard let bytes = try? Files.read("/proc/\(pid)/environ", bytesMax: environmentBytesMax) else { return false }
        return bytes.split(separator: 0).contains { $0.elementsEqual(tag) }
    }

    private struct Entry {
        var isZombie: Bool
        var parent: Int32
        var session: Int32
    }

    private static func pids() -> [Int32] { ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) } }

    private static func stat(_ pid: Int32) -> Entry? {
        guard let bytes = try? Files.read("/proc/\(pid)/stat", bytesMax: 4096),
            // The name is in parentheses and may hold anything.
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let parts = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count > 3, let parent = Int32(parts[1]), let session = Int32(parts[3]) else { return nil }
        return Entry(isZombie: parts[0] == "Z" || parts[0] == "X", parent: parent, session: session)
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return body(copies)
}
