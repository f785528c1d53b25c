import APIClient
import HTTPClient
import Platform
import Shared
import Testing

extension EndToEnd {
    /// SIGTERM of the api while clients write.
    @Suite(.serialized) struct DrainTests {
        @Test func `SIGTERM answers what is in flight, loses nothing, and exits 0`() throws {
            let stage = try Stage()
            let random = EndToEnd.random(8)
            var (took, acknowledged) = (Figures(), 0)
            try stage.startAPI()
            let room = try stage.room()
            for round in 1...EndToEnd.rounds(6) {
                let load = Load(stage, in: room, name: "drain\(round)")
                try load.start(clients: 8)
                // Somebody waits for a run, somebody follows: both have to be let go.
                let (waiting, _) = try stage.engineClient("waiting-\(round)")
                let empty = try stage.room("empty")
                let polled = Monitor<Result<Bool, APIFailure>?>(nil)
                Thread.start("poll") {
                    let answer = Result { () throws(APIFailure) in
                        try waiting.call(
                            .claimRun, ClaimRun(roomID: empty, waitMs: 30_000), deadlineMilliseconds: 40_000
                        ).claimed
                    }
                    polled.update { $0 = answer }
                }
                let follower = Follower(stage, room: room, name: "drain")
                follower.start()
                pause(milliseconds: random.integer(in: 20...200))
                let clock = SystemClock()
                let begin = clock.monotonicNanoseconds()
                let exit = stage.api.terminate(milliseconds: 10_000)
                took.add(clock.monotonicNanoseconds() - begin)
                #expect(
                    exit == .code(0), "round \(round): \(String(describing: exit))\n\(stage.api.logTail(bytes: 800))")
                load.join()
                let poll = polled.wait(milliseconds: 5_000) { $0 }
                guard case .success(false)? = poll else {
                    Issue.record("round \(round): the long poll got \(String(describing: poll))")
                    return
                }
                try stage.startAPI()
                let log = try stage.events([("include_system", "1")])
                // What was done has been answered: nobody is left in doubt by an orderly end.
                let counts = Load.check(load.operations, against: log, mayHaveUnknown: false)
                acknowledged += counts.acknowledged
                #expect(log.filter { $0.eventType == "api.stopped" }.count == round)
                try follower.catchUp()
                #expect(follower.transcript == (try Follower.log(stage, room)), "round \(round)")
                follower.stop()
            }
            try stage.checkLog()
            EndToEnd.say("drain under load: \(took.inMilliseconds), \(acknowledged) acknowledged")
        }
    }
}
