import APIClient
import CLinux
import HTTP
import JSON
import Platform
import Shared
import Testing

extension EndToEnd {
    /// The halt of external writes, while two engines write as fast as they can. The clock is the receiver's own.
    @Suite(.serialized) struct KillSwitchTests {
        private static let runs = 4
        private static let stepsOfRun = min(200, max(40, EndToEnd.rounds(6) * 8))
        /// As long as a permit is good, and some more: what starts late would be seen.
        private static let watchMs: Int64 = 1_300

        /// Two engines, an approval for each run, and plans that do nothing but write.
        private struct Stormy {
            let stage: Stage
            let receiver: Receiver
            let runs: [RunID]
            let room: RoomID
            let envFile: String
        }

        private func storm(answerDelayMs: Int64 = 15) throws -> Stormy {
            let receiver = Receiver(answerDelayMs: answerDelayMs)
            let address = try receiver.start()
            // Nobody dies here: a lease that is lost on a busy machine would only blur the picture.
            let stage = try Stage(ttlMs: 10_000, ["EGRESS_ALLOW": "\(address)"])
            let envFile = "\(stage.folder)/env"
            try Files.writeAtomically(Array("POLICY_KILL_SWITCH_EXTERNAL_WRITE=0\n".utf8), to: envFile)
            try stage.startAPI(["AOS_ENV_FILE": envFile])
            let room = try stage.room()
            let runs = try (0..<Self.runs).map { index in
                let run = try stage.submit(
                    Plans.plan(
                        (0..<Self.stepsOfRun).map { step in
                            Plans.step(
                                "send\(step)", "http",
                                [
                                    "method": "POST", "url": .string("http://\(address)/\(index)/\(step)"),
                                    "text": "x", "expect_status": 201,
                                ])
                        }, workdir: stage.site, parallel: 3), in: room)
                let approval = try stage.client().call(
                    .requestApproval,
                    RequestApproval(
                        action: "external.write", title: "all of it", roomID: room, runID: run,
                        scope: ["type": "run", "run_id": .string(run.rawValue)])
                ).approvalID
                try stage.client().call(
                    .decideApproval, DecideApproval(decision: "approve"), ["approval_id": approval.rawValue]
                ).expectOK()
                return run
            }
            for name in ["engine-1", "engine-2"] { try stage.startEngine(name) }
            try #require(receiver.wait(milliseconds: 10_000) { $0.count > 10 }, "nothing is written")
            return Stormy(stage: stage, receiver: receiver, runs: runs, room: room, envFile: envFile)
        }

        @Test func `after the command is acknowledged nothing starts, and lifting lets the runs go on`() throws {
            let storm = try storm()
            defer { storm.receiver.stop() }
            let random = EndToEnd.random(5)
            var (toAck, toAckPaused, lastAfterAck) = (Figures(), Figures(), Int64.min)
            let clock = SystemClock()
            var rounds = 0
            for round in 1...EndToEnd.rounds(6) where storm.receiver.count < Self.runs * Self.stepsOfRun {
                rounds = round
                pause(milliseconds: random.integer(in: 0...120))
                // Every other time the engines stand still with permits in their hands, and go on after the answer.
                let isPaused = round % 2 == 0
                if isPaused { for engine in storm.stage.engines { engine.send(SIGSTOP) } }
                let asked = clock.monotonicNanoseconds()
                let answer = try storm.stage.client().call(
                    .setKillSwitch, SetKillSwitch(engaged: true, reason: "drill \(round)"))
                let acknowledged = clock.monotonicNanoseconds()
                if isPaused {
                    for engine in storm.stage.engines { engine.send(SIGCONT) }
                    toAckPaused.add(acknowledged - asked)
                } else {
                    toAck.add(acknowledged - asked)
                }
                #expect(answer.engaged && answer.killSwitch.reason == "drill \(round)")
                let allWait = try waitUntilQuiet(storm)
                #expect(allWait, "round \(round): the runs do not wait")
                pause(milliseconds: Self.watchMs)
                let late = storm.receiver.all.filter { $0.atNs > acknowledged }
                #expect(
                    late.isEmpty,
                    "round \(round): \(late.count) writes began after the acknowledgement, the first \(((late.first?.atNs ?? 0) - acknowledged) / 1_000_000) ms later"
                )
                lastAfterAck = max(lastAfterAck, (storm.receiver.all.last?.atNs ?? 0) - acknowledged)
                let before = storm.receiver.count
                let lifted = try storm.stage.client().call(
                    .setKillSwitch, SetKillSwitch(engaged: false, reason: "over \(round)"))
                #expect(!lifted.engaged)
                if before < Self.runs * Self.stepsOfRun {
                    #expect(
                        storm.receiver.wait(milliseconds: 5_000) { $0.count > before },
                        "round \(round): nothing goes on")
                }
            }
            // Otherwise there was nothing to stop.
            #expect(rounds >= 3, "the storm was over after \(rounds) rounds")
            try expectAllWritten(storm)
            let events = try storm.stage.events([
                ("include_system", "1"), ("event_types", "kill_switch.engaged,kill_switch.lifted"),
            ])
            #expect(
                events.map(\.eventType) == (1...rounds).flatMap { _ in ["kill_switch.engaged", "kill_switch.lifted"] })
            #expect(
                events.allSatisfy {
                    $0.actorType == .user && $0.actorID == "operator" && $0.data["source"] == "operator"
                })
            #expect(
                events.compactMap { $0.data["reason"]?.stringValue }
                    == (1...rounds).flatMap { ["drill \($0)", "over \($0)"] })
            EndToEnd.say(
                "kill switch by command: \(rounds) times, asked to acknowledged \(toAck.inMilliseconds), with engines that stand still \(toAckPaused.inMilliseconds); last write before the acknowledgement by at least \(-lastAfterAck / 1_000_000) ms"
            )
        }

        @Test func `the environment variable does the same by SIGHUP, and no command lifts it`() throws {
            let storm = try storm()
            defer { storm.receiver.stop() }
            let clock = SystemClock()
            var toQuiet = Figures()
            for round in 1...2 {
                try set(storm, "1")
                let asked = clock.monotonicNanoseconds()
                storm.stage.api.send(SIGHUP)
                // The acknowledgement: it is engaged, and every write that was let through has ended.
                #expect(
                    try eventually(milliseconds: 5_000) {
                        let state = try storm.stage.client().call(.killSwitch, Nothing())
                        return state.engaged && state.unconfirmed.isEmpty
                    }, "round \(round)")
                let acknowledged = clock.monotonicNanoseconds()
                toQuiet.add(acknowledged - asked)
                #expect(try waitUntilQuiet(storm), "round \(round): the runs do not wait")
                // The operator may ask for the end of it, and it holds all the same.
                let answer = try? storm.stage.client().call(.setKillSwitch, SetKillSwitch(engaged: false))
                #expect(answer?.engaged ?? true)
                pause(milliseconds: Self.watchMs)
                let late = storm.receiver.all.filter { $0.atNs > acknowledged }
                #expect(late.isEmpty, "round \(round): \(late.count) writes began later")
                let before = storm.receiver.count
                try set(storm, "0")
                storm.stage.api.send(SIGHUP)
                #expect(
                    storm.receiver.wait(milliseconds: 5_000) { $0.count > before }, "round \(round): nothing goes on")
            }
            try expectAllWritten(storm)
            let events = try storm.stage.events([
                ("include_system", "1"), ("event_types", "kill_switch.engaged,kill_switch.lifted"),
            ])
            #expect(
                events.map(\.eventType) == [
                    "kill_switch.engaged", "kill_switch.lifted", "kill_switch.engaged", "kill_switch.lifted",
                ])
            #expect(events.allSatisfy { $0.data["source"] == "environment" && $0.actorType == .service })
            EndToEnd.say("kill switch by variable: SIGHUP to quiet \(toQuiet.inMilliseconds)")
        }

        @Test func `the acknowledgement waits for every permit that is out, and no longer`() throws {
            let stage = try Stage(ttlMs: 10_000)
            try stage.startAPI()
            // What the process before this one has let out is not known; that time must have passed.
            pause(milliseconds: 1_100)
            let (engine, _) = try stage.engineClient("by-hand")
            let room = try stage.room()
            let run = try stage.submit(
                Plans.plan(
                    ["a", "b"].map {
                        Plans.step($0, "http", ["method": "POST", "url": "http://192.0.2.1/x", "text": "x"])
                    }, workdir: stage.site), in: room)
            let approval = try stage.client().call(
                .requestApproval,
                RequestApproval(
                    action: "external.write", roomID: room, runID: run,
                    scope: ["type": "run", "run_id": .string(run.rawValue)])
            ).approvalID
            try stage.client().call(
                .decideApproval, DecideApproval(decision: "approve"), ["approval_id": approval.rawValue]
            ).expectOK()
            let claim = try #require(try engine.call(.claimRun, ClaimRun(plan: "required")).run)
            let clock = SystemClock()
            func permit(_ step: String) throws -> ToolCallPermit {
                let id = try engine.call(
                    .createStep, CreateStep(claimToken: claim.claimToken, planStepID: step, kind: "http"),
                    ["run_id": run.rawValue]
                ).stepID
                return try engine.call(
                    .requestToolCall,
                    RequestToolCall(
                        claimToken: claim.claimToken, toolName: "http",
                        input: ["method": "POST", "url": "http://192.0.2.1/x", "text": "x"]),
                    ["step_id": id.rawValue])
            }
            func engage(_ engaged: Bool) throws -> Int64 {
                let begin = clock.monotonicMilliseconds()
                _ = try stage.client().call(.setKillSwitch, SetKillSwitch(engaged: engaged))
                return clock.monotonicMilliseconds() - begin
            }
            let unused = try permit("a")
            #expect(unused.permitTTLMs == 1_000)
            let untilExpired = try engage(true)
            #expect(untilExpired > 800 && untilExpired < 1_300, "\(untilExpired) ms")
            _ = try engage(false)
            let used = try permit("b")
            let reporter = Thread.start("report") {
                pause(milliseconds: 200)
                _ = try? engine.call(
                    .succeedToolCall, EndToolCall(claimToken: claim.claimToken, output: ["status": 201]),
                    ["tool_call_id": used.toolCallID.rawValue])
            }
            let untilReported = try engage(true)
            reporter.join()
            #expect(untilReported >= 150 && untilReported < 600, "\(untilReported) ms")
            let atRest = try engage(false) + engage(true)
            EndToEnd.say(
                "acknowledged with a permit unused \(untilExpired) ms, used after 200 ms \(untilReported) ms, with none out \(atRest) ms for two"
            )
            #expect(atRest < 200)
        }

        @Test func `engaged at the start it lets nothing out from the first moment, approved or not`() throws {
            let receiver = Receiver()
            let address = try receiver.start()
            defer { receiver.stop() }
            let stage = try Stage(["EGRESS_ALLOW": "\(address)"])
            try stage.startAPI(["POLICY_KILL_SWITCH_EXTERNAL_WRITE": "1"])
            try stage.startEngine("engine-1")
            let run = try stage.submit(
                Plans.plan(
                    [
                        Plans.step(
                            "out", "http", ["method": "POST", "url": .string("http://\(address)/x"), "text": "x"]),
                        Plans.step(
                            "look", "http",
                            ["method": "GET", "url": .string("http://\(address)/y"), "expect_status": 201]),
                        Plans.script("inside", "touch inside"),
                    ], workdir: stage.site), in: try stage.room())
            let waiting = try stage.wait(for: run) { $0.status == .waiting || $0.status.isTerminal }
            #expect(waiting.status == .waiting && waiting.waits.map(\.kind) == [.halt])
            #expect(receiver.all.map(\.method) == ["GET"])
            #expect(Files.exists("\(stage.site)/inside"))
            let answer = try? stage.client().call(.setKillSwitch, SetKillSwitch(engaged: false))
            #expect(answer?.engaged ?? true)
        }

        private func set(_ storm: Stormy, _ value: String) throws {
            try Files.writeAtomically(Array("POLICY_KILL_SWITCH_EXTERNAL_WRITE=\(value)\n".utf8), to: storm.envFile)
        }

        /// Whether every run waits for the halt, or has ended.
        private func waitUntilQuiet(_ storm: Stormy) throws -> Bool {
            try eventually(milliseconds: 30_000) {
                try storm.runs.allSatisfy { id in
                    let run = try storm.stage.run(id)
                    return run.status.isTerminal || run.status == .waiting && run.waits.allSatisfy { $0.kind == .halt }
                }
            }
        }

        private func expectAllWritten(_ storm: Stormy) throws {
            for run in storm.runs {
                let ended = try storm.stage.wait(for: run, milliseconds: 30_000)
                #expect(
                    ended.status == .succeeded,
                    "\(ended.status) \(ended.waits) \(ended.error)\n\(storm.stage.story(run))")
            }
            let paths = storm.receiver.all.map(\.path)
            #expect(
                paths.count == Self.runs * Self.stepsOfRun && Set(paths).count == paths.count,
                "each write once: \(paths.count), \(Set(paths).count) different")
            try storm.stage.checkLog()
        }
    }
}
