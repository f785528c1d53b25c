import APIClient
import Platform
import Shared
import Testing

extension EndToEnd {
    /// `kill -9` of the api while clients write.
    @Suite(.serialized) struct APIKillTests {
        private static let readyNsMax: Int64 = 1_000_000_000

        @Test func `what was acknowledged survives every kill, once, and the log and the tables agree`() throws {
            let stage = try Stage()
            let random = EndToEnd.random(4)
            var (ready, all) = (Figures(), [Load.Operation]())
            var counts = (acknowledged: 0, unknownThere: 0, unknownGone: 0)
            var (seen, latencies): ([EventRow], [Int64]) = ([], [])
            try stage.startAPI()
            let room = try stage.room()
            let rounds = EndToEnd.rounds(30)
            for round in 1...rounds {
                let load = Load(stage, in: room, name: "kill\(round)")
                try load.start(clients: 8)
                pause(milliseconds: random.integer(in: 2...250))
                stage.api.killNow()
                load.join()
                ready.add(try stage.startAPI())
                let new = try stage.events([("include_system", "1")], after: seen.last?.globalSeq ?? 0)
                seen += new
                let count = Load.check(load.operations, against: new)
                counts.acknowledged += count.acknowledged
                counts.unknownThere += count.unknownThere
                counts.unknownGone += count.unknownGone
                try load.replayUnknown()
                all += load.operations
                latencies.append(load.latencies.median)
                if round % 5 == 0 || round == rounds { try stage.checkLog() }
            }
            // The whole log once more: nothing that an earlier round had seen has changed or gone.
            let log = try stage.events([("include_system", "1")])
            _ = Load.check(all, against: log)
            #expect(log.map(\.globalSeq) == Array(1...Int64(log.count)))
            #expect(Array(log.prefix(seen.count)) == seen)
            EndToEnd.say(
                "api kills: \(rounds), \(counts.acknowledged) acknowledged, unanswered and there \(counts.unknownThere), unanswered and not there \(counts.unknownGone), \(log.count) events"
            )
            EndToEnd.say("restart to ready: \(ready.inMilliseconds)")
            #expect(ready.largest < Self.readyNsMax)
        }
    }
}
