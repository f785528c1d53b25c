import API
import APIClient
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("Claiming a run")
struct ClaimTests {
    @Test("gives the oldest one, under a lease, with a token that nobody else sees", arguments: Transports.allCases)
    func oldest(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let first = try api.run(in: room)
            api.clock.advance(5)
            let second = try api.run(in: room)
            let hold = try api.hold()
            #expect(hold.runID == first)
            #expect(hold.run.attemptNo == 1)
            #expect(hold.run.leaseTTLMs == 30_000)
            #expect(hold.run.leaseExpiresAt == hold.run.leaseHeartbeatAt.adding(milliseconds: 30_000))
            let other = try api.hold("engine-b")
            #expect(other.runID == second)
            #expect(other.token != hold.token)
            let row = try api.operator.call(.run, Nothing(), ["run_id": first.rawValue]).run
            #expect((row.status, row.claimedByActorID, row.claimToken) == (.running, "engine-a", nil))
            #expect(row.leaseExpiresAt == hold.run.leaseExpiresAt)
            #expect(try api.eventTypes(first) == ["run.created", "run.started"])
        }
    }

    @Test("finds nothing where there is nothing, and says so", arguments: Transports.allCases)
    func nothing(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let engine = try api.engine("engine-a")
            let before = try api.lastGlobalSeq()
            let answer = try engine.post("/v1/runs/claim")
            #expect(answer.json == ["claimed": false, "run": .null])
            #expect(try api.lastGlobalSeq() == before)
        }
    }

    @Test("leaves runs without a plan to those who want any")
    func planRequired() throws {
        try withAPI { api in
            let room = try api.room()
            let bare = try api.operator.call(.createRun, CreateRun(roomID: room, title: "bare")).runID
            let engine = try api.engine("engine-a")
            #expect(try engine.post("/v1/runs/claim", ["plan": "required"])["claimed"] == false)
            let planned = try api.run(in: room)
            #expect(
                try engine.post("/v1/runs/claim", ["plan": "required"])["run"]?["run_id"] == .string(planned.rawValue))
            #expect(try engine.post("/v1/runs/claim", ["plan": "any"])["run"]?["run_id"] == .string(bare.rawValue))
            #expect(try engine.post("/v1/runs/claim", ["plan": "perhaps"]).code == "invalid_field")
        }
    }

    @Test("stays in the room it names")
    func rooms() throws {
        try withAPI { api in
            let (one, two) = (try api.room("one"), try api.room("two"))
            _ = try api.run(in: one)
            let wanted = try api.run(in: two)
            let engine = try api.engine("engine-a")
            let claimed = try engine.post("/v1/runs/claim", ["room_id": .string(two.rawValue)])
            #expect(claimed["run"]?["run_id"] == .string(wanted.rawValue))
            #expect(try engine.post("/v1/runs/claim", ["room_id": .string(two.rawValue)])["claimed"] == false)
        }
    }

    @Test("waits at most half a minute", arguments: [-1, 30_001] as [Int64])
    func waitLimit(_ wait: Int64) throws {
        try withAPI { api in
            let answer = try api.engine("engine-a").post("/v1/runs/claim", ["wait_ms": .integer(wait)])
            #expect((answer.status, answer.code) == (400, "invalid_field"))
            #expect(answer["details"]?["field"] == "wait_ms")
        }
    }

    @Test("that waits is woken by a new run", arguments: Transports.allCases)
    func wokenByNewRun(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let engine = try api.engine("engine-a")
            let poll = Beside { try engine.post("/v1/runs/claim", ["wait_ms": 30_000]) }
            try api.waitForClaims(1)
            #expect(!poll.isDone)
            let run = try api.run(in: room)
            #expect(try poll.value()["run"]?["run_id"] == .string(run.rawValue))
        }
    }

    @Test("that waits is woken by a run that is given back", arguments: Transports.allCases)
    func wokenByRelease(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let run = try api.run(in: api.room())
            let hold = try api.hold()
            let engine = try api.engine("engine-b")
            let poll = Beside { try engine.post("/v1/runs/claim", ["wait_ms": 30_000]) }
            try api.waitForClaims(1)
            #expect(try hold.onRun("lease/release")["released"] == true)
            let answer = try poll.value()
            #expect(answer["run"]?["run_id"] == .string(run.rawValue))
            #expect(answer["run"]?["attempt_no"] == 2)
        }
    }

    @Test("that waits in vain is told so when its time is up", arguments: Transports.allCases)
    func timesOut(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let engine = try api.engine("engine-a")
            let poll = Beside { try engine.post("/v1/runs/claim", ["wait_ms": 20_000]) }
            try api.waitForClaims(1)
            api.clock.advance(19_900)
            #expect(!poll.isDone)
            api.clock.advance(200)
            #expect(try poll.value().json == ["claimed": false, "run": .null])
        }
    }

    @Test("by many that wait gives one run to one of them", arguments: Transports.allCases)
    func manyWaiters(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let room = try api.room()
            let engines = try (0..<12).map { try api.engine("engine-\($0)") }
            let polls = engines.map { engine in Beside { try engine.post("/v1/runs/claim", ["wait_ms": 20_000]) } }
            try api.waitForClaims(12)
            _ = try api.run(in: room)
            try eventually("one to get it") { polls.contains { $0.isDone } }
            api.clock.advance(20_100)
            let answers = try polls.map { try $0.value() }
            #expect(answers.count { $0["claimed"] == true } == 1)
            #expect(answers.allSatisfy { $0.status == 200 })
        }
    }

    @Test("that waits for another room is passed over, and the right one is woken")
    func waitersOfRooms() throws {
        try withAPI { api in
            let (one, two) = (try api.room("one"), try api.room("two"))
            let (a, b) = (try api.engine("engine-a"), try api.engine("engine-b"))
            let first = Beside { try a.post("/v1/runs/claim", ["room_id": .string(one.rawValue), "wait_ms": 20_000]) }
            try api.waitForClaims(1)
            let second = Beside { try b.post("/v1/runs/claim", ["room_id": .string(two.rawValue), "wait_ms": 20_000]) }
            try api.waitForClaims(2)
            let run = try api.run(in: two)
            #expect(try second.value()["run"]?["run_id"] == .string(run.rawValue))
            #expect(!first.isDone)
        }
    }

    @Test("that waits is answered when the api is told to stop", arguments: Transports.allCases)
    func drained(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let engine = try api.engine("engine-a")
            let poll = Beside { try engine.post("/v1/runs/claim", ["wait_ms": 30_000]) }
            try api.waitForClaims(1)
            try api.restart()
            #expect(try poll.value()["claimed"] == false)
        }
    }

    @Test("by a client that has gone takes nothing")
    func gone() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            let engine = try api.engine("engine-a")
            guard let address = api.address, case .engine(let id, let secret) = engine.credential else {
                throw TestFailure("?")
            }
            do {
                let peer = try RawPeer(address)
                peer.send(
                    "POST /v1/runs/claim HTTP/1.1\r\nHost: localhost:\(address.port)\r\nx-engine-id: \(id)\r\nx-engine-token: \(secret)\r\n"
                        + "Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"wait_ms\":20000}")
                try api.waitForClaims(1)
            }
            try api.waitForClaims(0)
            let run = try api.run(in: room)
            #expect(try api.status(run) == .queued)
            #expect(try api.hold("engine-b").runID == run)
        }
    }

    @Test("by 20 at once over 5 runs gives each run to one, in 100 rounds")
    func race20() throws {
        try withAPI(.socket) { api in
            let room = try api.room()
            let engines = try (0..<20).map { try api.engine("engine-\($0)") }
            for round in 0..<100 {
                let runs = try (0..<5).map { _ in try api.run(in: room) }
                let claims = try race(20) { number in try engines[number].call(.claimRun, ClaimRun(plan: "any")) }
                let claimed = claims.compactMap { $0.run?.runID }
                #expect(claimed.count == 5, "round \(round)")
                #expect(Set(claimed) == Set(runs), "round \(round)")
                #expect(Set(claims.compactMap { $0.run?.claimToken }).count == 5)
                for (engine, claim) in zip(engines, claims) {
                    guard let run = claim.run else { continue }
                    let done = try Hold(client: engine, run: run).onRun("complete")
                    #expect(done.status == 200)
                }
            }
            let started =
                try api.operator.get("/v1/events?event_type=run.started&limit=200")["events"]?.arrayValue ?? []
            #expect(Set(started.compactMap { $0["run_id"]?.stringValue }).count == started.count)
        }
    }
}

extension TestAPI {
    /// Waits until so many claims wait for a run.
    func waitForClaims(_ count: Int) throws {
        try eventually("\(count) claims to wait") { application.waitingClaims == count }
    }
}
