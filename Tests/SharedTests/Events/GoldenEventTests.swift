import Glibc
import JSON
import Platform
import Testing

@testable import Shared

/// One file for each event type, with all its members: what was recorded once must be readable for ever.
struct GoldenEventTests {
    private static let folder = Files.split(Files.split(#filePath).folder).folder + "/Golden"

    private func path(_ type: String) -> String { "\(Self.folder)/\(type).json" }

    @Test("Every event type has a sample, and there are no others")
    func complete() throws {
        #expect(GoldenEvents.all.map(\.type).sorted() == EventCatalogue.types)
        if getenv("UPDATE_REFERENCE") != nil {
            for event in GoldenEvents.all {
                let line = try JSON.canonical(encoding: AnyPayload(event.payload)) + Array("\n".utf8)
                try Files.writeAtomically(line, to: path(event.type), mode: 0o644)
            }
        }
        #expect(try Files.list(Self.folder) == EventCatalogue.types.map { "\($0).json" }.sorted())
    }

    @Test("A recorded event is read, and written again byte for byte", arguments: EventCatalogue.types)
    func roundTrip(_ type: String) throws {
        let file = try Files.read(path(type), bytesMax: 1 << 20)
        #expect(file.last == UInt8(ascii: "\n") && file.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        let line = Array(file.dropLast())
        let event = try #require(try EventCatalogue.decode(type, JSON.parse(line)))
        #expect(event.type == type)
        #expect(
            try String(decoding: JSON.canonical(encoding: AnyPayload(event.payload)), as: UTF8.self)
                == String(decoding: line, as: UTF8.self))
    }

    @Test("The sample is still written as the file has it", arguments: GoldenEvents.all.map(\.type))
    func writing(_ type: String) throws {
        let event = try #require(GoldenEvents.all.first { $0.type == type })
        let line = String(decoding: try JSON.canonical(encoding: AnyPayload(event.payload)), as: UTF8.self)
        #expect(try String(decoding: Files.read(path(type), bytesMax: 1 << 20).dropLast(), as: UTF8.self) == line)
    }

    @Test("A member that a newer program added does not stop an older one", arguments: EventCatalogue.types)
    func additive(_ type: String) throws {
        var data = try #require(try JSON.parse(Files.read(path(type), bytesMax: 1 << 20)).objectValue)
        data["added_by_a_newer_program"] = ["x": 1]
        #expect(try EventCatalogue.decode(type, .object(data))?.type == type)
    }

    @Test("A type that this program does not know is nil, not an error")
    func unknownType() throws {
        #expect(try EventCatalogue.decode("run.sang", ["run_id": "run_1"]) == nil)
    }

    @Test(
        "A known type with a wrong member is an error",
        arguments: ["run.created", "tool.invoked", "kill_switch.engaged"])
    func wrongMember(_ type: String) {
        #expect(throws: (any Error).self) { try EventCatalogue.decode(type, ["run_id": 1]) }
    }
}

/// A sample of each event type, with every member that it can have.
enum GoldenEvents {
    static let time = Timestamp("2026-03-04T05:06:07.089Z")!
    static let refusal: PolicyRefusal = {
        let verdict = PolicyVerdict(
            .deny, "kill_switch_active", rule: "kill_switch", reason: "external writes are held")
        var refusal = PolicyRefusal(category: "tool_call", action: "external.write", verdict: verdict, mode: .enforce)
        (refusal.argsHash, refusal.arguments) = ("sha256:00", ["url": "https://example.com/"])
        (refusal.toolCallID, refusal.approvalID) = ("tc_1", "appr_1")
        return refusal
    }()
    static let scope: ApprovalScope = {
        var scope = ApprovalScope(type: .once, roomID: "room_1", runID: "run_1", argsHash: "sha256:00")
        (scope.workspaceID, scope.correlationID, scope.templateRef) = ("ws_1", "corr_1", "template")
        return scope
    }()

    static let all: [DomainEvent] = [
        .approval(
            .requested(
                ApprovalRequested(
                    approvalID: "appr_1", action: "external.write", title: "Publish", request: ["tool": "http"],
                    context: ["a": 1],
                    scope: scope, expiresAt: time, toolCallID: "tc_1"))),
        .approval(
            .decided(
                ApprovalDecided(
                    approvalID: "appr_1", decision: .approve, reason: "looks right", scope: scope, expiresAt: time))),
        .approval(.consumed(ApprovalConsumed(approvalID: "appr_1", toolCallID: "tc_1"))),
        .approval(.expired(ApprovalExpired(approvalID: "appr_1"))),
        .artifact(
            .created(
                ArtifactCreated(
                    artifactID: "art_1", kind: "report", title: "Report", mimeType: "text/plain", sizeBytes: 12,
                    sha256: "00",
                    content: ArtifactContent(type: .text, text: "Zoë", json: ["a": [1.5]], uri: "https://example.com/"),
                    metadata: ["lines": 3]))),
        .auth(.ownerCreated(OwnerCreated(ownerID: "own_1", principalID: "p", displayName: "Min", peer: "127.0.0.1"))),
        .auth(.sessionIssued(SessionIssued(sessionID: "ses_1", ownerID: "own_1", peer: "127.0.0.1"))),
        .auth(.sessionRefreshed(SessionRefreshed(sessionID: "ses_1", ownerID: "own_1", peer: "127.0.0.1"))),
        .auth(
            .sessionRevoked(SessionRevoked(sessionID: "ses_1", ownerID: "own_1", reason: "logout", peer: "127.0.0.1"))),
        .auth(.loginFailed(LoginFailed(ownerID: "own_1", peer: "127.0.0.1"))),
        .auth(
            .webSessionIssued(
                WebSessionIssued(
                    WebSession(
                        sessionID: "ses_1", ownerID: "own_1", workspaceID: "ws_home", isReadOnly: true,
                        at: Timestamp(milliseconds: 0), peer: "127.0.0.1", userAgent: "Browser/1")))),
        .auth(.webSessionEnded(WebSessionEnded(sessionID: "ses_1", ownerID: "own_1", peer: "127.0.0.1"))),
        .evidence(
            .manifestCreated(
                EvidenceManifestCreated(
                    evidenceID: "evd_1", runID: "run_1", roomID: "room_1", threadID: "th_1", correlationID: "corr_1",
                    runStatus: .succeeded, manifest: ["schema_version": 1], manifestHash: "sha256:00",
                    eventHashRoot: "sha256:01", streamType: .room, streamID: "room_1", fromSeq: 2, toSeq: 9,
                    eventCount: 8, finalizedAt: time))),
        .experiment(
            .created(
                ExperimentCreated(
                    experimentID: "exp_1", title: "Trial", hypothesis: "It helps", successCriteria: ["score": 0.8],
                    stopConditions: ["failures": 3], budgetCapUnits: 100, riskTier: .low, metadata: ["a": 1]))),
        .experiment(
            .updated(
                ExperimentUpdated(
                    experimentID: "exp_1", title: "Trial 2", hypothesis: "It helps more",
                    successCriteria: ["score": 0.9], stopConditions: ["failures": 2], budgetCapUnits: 200,
                    riskTier: .high, metadata: ["a": 2]))),
        .experiment(
            .closed(
                ExperimentClosed(
                    experimentID: "exp_1", status: .stopped, reason: "enough", force: true, activeRunCount: 1))),
        .incident(
            .opened(
                IncidentOpened(
                    incidentID: "inc_1", category: "run_failed", title: "It failed", summary: "All of it",
                    severity: .high, runID: "run_1", entityType: "run", entityID: "run_1", details: ["a": 1]))),
        .incident(.rcaUpdated(IncidentRCAUpdated(incidentID: "inc_1", rca: ["summary": "A typo"]))),
        .incident(
            .learningLogged(
                IncidentLearningLogged(
                    incidentID: "inc_1", learningID: "learn_1", note: "Check twice", tags: ["typing"]))),
        .incident(.closed(IncidentClosed(incidentID: "inc_1", reason: "fixed"))),
        .learning(
            .fromFailure(
                LearningFromFailure(
                    category: "action", action: "external.write", decision: .deny, reasonCode: "kill_switch_active",
                    reason: "external writes are held", enforcementMode: .enforce, blocked: true,
                    subjectKey: "principal:p", principalID: "p", agentID: "agt_1", patternHash: "00",
                    guidance: "Wait until the kill switch is lifted.", context: ["a": 1], policyEventID: "e"))),
        .learning(
            .constraintLearned(
                ConstraintLearned(
                    constraintID: "cst_1", category: "action", action: "external.write",
                    reasonCode: "kill_switch_active", patternHash: "00", guidance: "Wait.", seenCount: 2,
                    repeatCount: 2, subjectKey: "principal:p", principalID: "p", agentID: "agt_1",
                    learnedFromEventID: "e"))),
        .learning(
            .mistakeRepeated(
                MistakeRepeated(
                    constraintID: "cst_1", category: "action", action: "external.write",
                    reasonCode: "kill_switch_active", repeatCount: 2, patternHash: "00", guidance: "Wait.",
                    subjectKey: "principal:p", principalID: "p", agentID: "agt_1", learnedFromEventID: "e"))),
        .review(
            .scorecardRecorded(
                ScorecardRecorded(
                    scorecardID: "scd_1", experimentID: "exp_1", runID: "run_1", evidenceID: "evd_1",
                    agentID: "agt_1", principalID: "p", templateKey: "quality", templateVersion: "1",
                    metrics: [ScorecardMetric(key: "score", value: 0.75)], metricsHash: "sha256:00", score: 0.75,
                    decision: .pass, rationale: "Good", metadata: ["a": 1]))),
        .review(
            .lessonLogged(
                LessonLogged(
                    lessonID: "les_1", experimentID: "exp_1", runID: "run_1", scorecardID: "scd_1",
                    incidentID: "inc_1", category: "process", summary: "Check twice", actionItems: ["Write a test"],
                    tags: ["tests"], metadata: ["a": 1]))),
        .thread(.created(ThreadCreated(title: "Thread", status: "open"))),
        .thread(
            .messageCreated(
                MessageCreated(
                    messageID: "msg_1", senderType: "user", senderID: "anon", contentMd: "Hello", lang: "en",
                    parentMessageID: "msg_0", labels: ["a"]))),
        .room(
            .updated(
                RoomUpdated(
                    title: "Room", topic: "Topic", roomMode: "default", defaultLang: "en", toolPolicyRef: "policy"))),
        .engine(
            .registered(
                EngineRegistered(
                    engineID: "eng_1", actorID: "engine", principalID: "p", tokenID: "engtok_1", reactivated: true))),
        .engine(.tokenIssued(EngineTokenIssued(engineID: "eng_1", tokenID: "engtok_2"))),
        .engine(.tokenRevoked(EngineTokenRevoked(engineID: "eng_1", tokenID: "engtok_2", reason: "lost"))),
        .engine(
            .deactivated(EngineDeactivated(engineID: "eng_1", tokenIDs: ["engtok_1", "engtok_2"], reason: "sold"))),
        .policy(.denied(PolicyDenied(refusal))),
        .policy(.requiresApproval(PolicyRequiresApproval(refusal))),
        .room(
            .created(
                RoomCreated(
                    title: "Room", topic: "Topic", roomMode: "default", defaultLang: "en", toolPolicyRef: "policy"))),
        .run(
            .created(
                RunCreated(
                    runID: "run_1", experimentID: "exp_1", title: "Run", goal: "Goal", input: ["plan": ["steps": []]],
                    tags: ["a", "b"]))),
        .run(.started(RunStarted(runID: "run_1", attemptNo: 2, engineID: "eng_1"))),
        .run(
            .waiting(
                RunWaiting(
                    runID: "run_1",
                    waits: [
                        Wait(.approval, planStepID: "a", approvalID: "appr_1", toolCallID: "tc_1"),
                        Wait(.timer, wakeAt: time),
                        Wait(.unknown), Wait(.halt),
                    ]))),
        .log(
            .backedUp(
                LogBackedUp(
                    backupGlobalSeq: 1200, root: "sha256:aa", databaseSha256: "bb", blobs: 7))),
        .log(
            .restored(
                LogRestored(
                    backupGlobalSeq: 1200, backupMadeAt: time, root: "sha256:aa", previousGlobalSeq: 1250,
                    previousRoot: "sha256:cc", endedLeases: 1, endedSessions: 2, reason: "the disk died"))),
        .run(.requeued(RunRequeued(runID: "run_1", reason: .leaseExpired, attemptNo: 2))),
        .run(.cancelRequested(RunCancelRequested(runID: "run_1", reason: "enough"))),
        .run(.cancelled(RunCancelled(runID: "run_1", reason: "enough"))),
        .run(.completed(RunCompleted(runID: "run_1", summary: "done", output: ["n": -1]))),
        .run(.failed(RunFailed(runID: "run_1", message: "no", error: ["code": "x"]))),
        .step(.created(StepCreated(stepID: "step_1", planStepID: "a", kind: "tool", title: "A", input: ["x": nil]))),
        .step(.succeeded(StepSucceeded(stepID: "step_1", output: ["x": true]))),
        .step(.failed(StepFailed(stepID: "step_1", message: "no", error: ["code": "x"]))),
        .step(.skipped(StepSkipped(stepID: "step_1", reason: "when"))),
        .step(.cancelled(StepCancelled(stepID: "step_1", reason: "run"))),
        .system(.apiStarted(APIStarted(version: "1.0", recoveredLeases: 3))),
        .system(.apiStopped(APIStopped(reason: "sigterm"))),
        .system(.configurationReloaded(ConfigurationReloaded(changed: ["A", "B"]))),
        .system(.killSwitchEngaged(KillSwitchEngaged(source: .operator, reason: "why", epoch: 7))),
        .system(.killSwitchLifted(KillSwitchLifted(source: .environment, reason: "why", epoch: 8))),
        .system(
            .eventErased(
                EventErased(
                    targetEventID: "e-1", targetEventType: "message.created", reason: "asked by the person",
                    remains: ["message_id": "msg_1", "content_md": "[erased]"]))),
        .system(
            .eventRedacted(
                EventRedacted(
                    targetEventID: "e-1", reason: "dlp_secret_detected", intendedRedactionLevel: .partial))),
        .system(
            .secretLeakedDetected(
                SecretLeakedDetected(
                    sourceEventID: "e-1", sourceEventType: "run.completed", scannerVersion: "dlp_v2", matchCount: 1,
                    ruleIDs: ["github_pat"], matches: [SecretMatch(ruleID: "github_pat", matchPreview: "ghp_…")],
                    scannedBytes: 96))),
        .toolCall(
            .requested(
                ToolRequested(
                    toolCallID: "tc_1", toolName: "http", title: "Publish", input: ["url": "u"],
                    action: "external.write",
                    effect: .once, effectKey: "run_1/a/1", argsHash: "sha256:00", attemptNo: 1, approvalID: "appr_1"))),
        .toolCall(
            .invoked(
                ToolInvoked(
                    toolCallID: "tc_1", toolName: "http", title: "Publish", input: ["url": "u"],
                    action: "external.write",
                    effect: .idempotent, effectKey: "run_1/a/1", argsHash: "sha256:00", tryNo: 2, attemptNo: 1))),
        .toolCall(.succeeded(ToolSucceeded(toolCallID: "tc_1", output: ["status": 200]))),
        .toolCall(.failed(ToolFailed(toolCallID: "tc_1", message: "no", error: ["code": "x"]))),
        .toolCall(.unknown(ToolUnknown(toolCallID: "tc_1", reason: "lost"))),
        .toolCall(.resolved(ToolResolved(toolCallID: "tc_1", outcome: .succeeded, reason: "seen", output: ["a": 1]))),
    ]
}
