import CLI
import Platform
import Shared
import Testing

@Suite("Starting again what has died")
struct RestartPolicyTests {
    @Test("is tried after pauses that double, and given up after five times within the window")
    func limit() {
        var policy = RestartPolicy()
        let verdicts = (0..<6).map { policy.ended(.signal(9), atMilliseconds: Int64($0) * 1000) }
        let expected: [RestartPolicy.Verdict] = [200, 400, 800, 1600, 3200].map { .restart(afterMilliseconds: $0) }
        #expect(Array(verdicts.prefix(5)) == expected)
        guard case .giveUp(let reason) = verdicts[5] else {
            Issue.record("it goes on: \(verdicts[5])")
            return
        }
        #expect(reason.contains("6 times within 60 s"))
    }

    @Test("counts only what is within the window")
    func window() {
        var policy = RestartPolicy()
        for at in stride(from: Int64(0), to: 600_000, by: 13_000) {
            guard case .restart = policy.ended(.code(1), atMilliseconds: at) else {
                Issue.record("given up at \(at)")
                return
            }
        }
        #expect(policy.recent(atMilliseconds: 600_000) > 0)
        #expect(policy.recent(atMilliseconds: 700_000) == 0)
        #expect(policy.nextChangeAtMilliseconds == nil)
    }

    @Test(
        "is pointless where the next start must end the same way",
        arguments: [ProcessEnd.Exit.code(78), .code(2), .code(4), nil])
    func hopeless(exit: ProcessEnd.Exit?) {
        var policy = RestartPolicy()
        guard case .giveUp = policy.ended(exit, atMilliseconds: 0) else {
            Issue.record("\(String(describing: exit)) is tried again")
            return
        }
    }

    @Test(
        "is done for crashes and failed storage", arguments: [ProcessEnd.Exit.code(70), .code(1), .code(0), .signal(6)])
    func worthwhile(exit: ProcessEnd.Exit) {
        var policy = RestartPolicy()
        #expect(policy.ended(exit, atMilliseconds: 0) == .restart(afterMilliseconds: 200))
    }
}

@Suite("What a supervisor has written down")
struct SupervisorFileTests {
    private func withFile(_ body: (SupervisorFile, Supervision) throws -> Void) throws {
        let directory = "/tmp/aos-cli-test-\(SystemEntropy().integer(in: 0...Int64.max / 2))"
        defer { try? Files.removeTree(directory) }
        let file = SupervisorFile(directory)
        let supervision = Supervision(
            mode: .embedded, pid: 7, restartsMax: 5, windowMs: 60_000, programs: [.init(name: "api")],
            at: FixedClock.now)
        try body(file, supervision)
    }

    @Test("is read back, with whether it is there still")
    func lock() throws {
        try withFile { file, supervision in
            #expect(file.read() == nil)
            var lock = try file.lock()
            #expect(lock != nil)
            #expect(try file.lock() == nil, "only one at a time")
            try file.write(supervision)
            let found = try #require(file.read())
            #expect(found.supervision == supervision && found.isThere)
            lock = nil
            _ = lock
            #expect(file.read()?.isThere == false)
            #expect(try file.lock() != nil)
        }
    }

    @Test("tells aos status why no api answers")
    func status() throws {
        try withFile { file, supervision in
            var supervision = supervision
            (supervision.state, supervision.reason) = (.fatal, "the api was ended by signal 9: too often")
            _ = try file.lock()
            try file.write(supervision)
            let directory = file.directory
            let (exit, said) = aos(["status"], environment: ["AOS_TOKEN": "t", "AOS_DATA_DIR": directory])
            #expect(exit == .failed)
            #expect(said.error.contains("`aos up` gave up now: the api was ended by signal 9: too often"))
            #expect(said.output.isEmpty)
        }
    }
}
