import APIClient
import JSON
import Platform
import Shared
import Synchronization
import Testing

extension EndToEnd {
    /// Server-sent events, with everything going wrong that can.
    @Suite(.serialized) struct FollowerTests {
        private static let followers = 50
        private static let events: Int64 = 5_000
        private static let writers = 4

        @Test func `every follower's transcript is the log, whatever breaks in between`() throws {
            let stage = try Stage()
            let random = EndToEnd.random(6)
            try stage.startAPI()
            let room = try stage.room()
            let followers = (0..<Self.followers).map { index in
                Follower(stage, room: room, name: "sse-\(index)") { Int(random.integer(in: 1...400_000)) }
            }
            for follower in followers { follower.start() }
            let clock = SystemClock()
            let begin = clock.monotonicNanoseconds()
            let written = Monitor<Int64>(0)
            let writers = (0..<Self.writers).map { _ in write(stage, room, written) }
            for (share, isKill) in [(Int64(1), true), (2, false)] {
                let reached = written.wait(milliseconds: 60_000) { $0 >= Self.events * share / 3 ? true : nil }
                try #require(reached != nil, "only \(written.read { $0 }) events are written")
                if isKill {
                    stage.api.killNow()
                } else {
                    #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))
                }
                try stage.startAPI()
            }
            for writer in writers { #expect(writer.join(milliseconds: 60_000), "a writer hangs") }
            let toWrite = clock.monotonicNanoseconds() - begin
            let log = try Follower.log(stage, room)
            #expect(log.map(\.id) == Array(1...Int64(log.count)) && log.count > Self.events)
            for follower in followers { try follower.wait(until: Int64(log.count), milliseconds: 60_000) }
            let toFollow = clock.monotonicNanoseconds() - begin
            for (index, follower) in followers.enumerated() {
                let transcript = follower.transcript
                let different = zip(transcript, log).first { $0 != $1 }
                #expect(
                    transcript == log,
                    "follower \(index): \(transcript.count) of \(log.count), first difference \(String(describing: different))"
                )
                #expect(follower.faults.isEmpty, "follower \(index): \(follower.faults.prefix(3))")
                follower.stop()
            }
            // The stream says the same as the query.
            let rows = try stage.events([("stream_type", "room"), ("stream_id", room.rawValue)])
            #expect(rows.map(\.streamSeq) == log.map(\.id))
            try stage.checkLog()
            EndToEnd.say(
                "sse: \(log.count) events in \(toWrite / 1_000_000) ms, all \(Self.followers) followers complete after \(toFollow / 1_000_000) ms, \(followers.reduce(0) { $0 + $1.connections }) connections"
            )
        }

        @Test func `a follower hears of an event soon after its acknowledgement`() throws {
            let stage = try Stage()
            try stage.startAPI()
            let room = try stage.room()
            let followers = (0..<Self.followers).map {
                Follower(stage, room: room, name: "sse-\($0)", keepsTimes: true)
            }
            for follower in followers { follower.start() }
            for follower in followers { try follower.wait(until: 1) }
            let client = stage.client()
            let clock = SystemClock()
            var acknowledged: [Int64] = []
            for _ in 0..<100 {
                _ = try client.call(.createRun, CreateRun(roomID: room, title: "tick"))
                acknowledged.append(clock.monotonicNanoseconds())
                pause(milliseconds: 5)
            }
            var latencies = Figures()
            for follower in followers {
                try follower.wait(until: Int64(acknowledged.count) + 1)
                let arrivals = follower.arrivals
                for (index, time) in acknowledged.enumerated() {
                    latencies.add(max(0, try #require(arrivals[Int64(index) + 2]) - time))
                }
                follower.stop()
            }
            EndToEnd.say("acknowledgement to follower, \(Self.followers) of them: \(latencies.inMilliseconds)")
            // Loosely: the machine is shared. The goal is 10 ms.
            #expect(latencies.median < 100_000_000)
        }

        private func write(_ stage: Stage, _ room: RoomID, _ written: Monitor<Int64>) -> Thread {
            Thread.start("writer") {
                while written.read({ $0 }) < Self.events {
                    let client = stage.client()
                    do {
                        while written.read({ $0 }) < Self.events {
                            _ = try client.call(.createRun, CreateRun(roomID: room, title: "event"))
                            written.update { $0 += 1 }
                        }
                    } catch {
                        // The api is being restarted.
                        pause(milliseconds: 5)
                    }
                }
            }
        }
    }
}
