import APIClient
import Platform
import Shared
import Synchronization
import Testing

extension EndToEnd {
    /// Many claim few.
    @Suite(.serialized) struct ClaimRaceTests {
        private static let claimers = 20
        private static let runs = 5

        @Test func `twenty claimers over five runs never get the same one`() throws {
            let stage = try Stage(ttlMs: 30_000)
            try stage.startAPI()
            let room = try stage.room()
            let engines = try (0..<Self.claimers).map { try stage.engineClient("claimer-\($0)") }
            let rounds = EndToEnd.rounds(100)
            /// The round that may be claimed in, and what each claimer got in it.
            let race = Monitor<(round: Int, taken: [[ClaimedRun]], done: Int)>((0, [], 0))
            let threads = engines.map { engine in
                Thread.start("claimer") {
                    for round in 1...rounds {
                        guard race.wait(milliseconds: 60_000, until: { $0.round >= round ? true : nil }) != nil else {
                            return
                        }
                        var mine: [ClaimedRun] = []
                        while let run = (try? engine.client.call(.claimRun, ClaimRun(roomID: room)))?.run {
                            mine.append(run)
                        }
                        for run in mine {
                            _ = try? engine.client.call(
                                .completeRun, CompleteRun(claimToken: run.claimToken), ["run_id": run.runID.rawValue])
                        }
                        race.update {
                            $0.taken.append(mine); $0.done += 1
                        }
                    }
                }
            }
            let client = stage.client()
            var (busy, most) = (0, 0)
            for round in 1...rounds {
                let runs = try (0..<Self.runs).map { _ in
                    try client.call(.createRun, CreateRun(roomID: room, title: "race")).runID
                }
                race.update { $0 = (round, [], 0) }
                let taken = try #require(
                    race.wait(milliseconds: 30_000) { $0.done == Self.claimers ? $0.taken : nil },
                    "round \(round) hangs")
                let claimed = taken.joined().map(\.runID)
                #expect(claimed.count == Self.runs && Set(claimed) == Set(runs), "round \(round): \(claimed)")
                #expect(taken.joined().allSatisfy { $0.attemptNo == 1 })
                busy = taken.count { !$0.isEmpty }
                most = max(most, busy)
            }
            for thread in threads { #expect(thread.join(milliseconds: 10_000)) }
            // The log says the same: each run started once and ended once.
            let events = try stage.events([("room_id", room.rawValue), ("event_types", "run.started,run.completed")])
            let started = events.filter { $0.eventType == "run.started" }.map(\.runID)
            #expect(started.count == rounds * Self.runs && Set(started).count == started.count)
            #expect(events.count == 2 * started.count)
            try stage.checkLog()
            EndToEnd.say(
                "claims: \(rounds) rounds of \(Self.claimers) claimers over \(Self.runs) runs, up to \(most) of them got one"
            )
        }
    }
}
