import Domain
import JSON
import Shared
import Testing

@Suite("Evidence")
struct EvidenceTests {
    private func window(_ count: Int, listed: Int? = nil, hasEnd: Bool = true) -> EvidenceWindow {
        let events = (1...(listed ?? count)).map {
            EventPointer(
                eventID: EventID("e-\($0)"), eventType: "step.created", occurredAt: World.start, streamSeq: Int64($0),
                eventHash: "sha256:\($0)")
        }
        return EvidenceWindow(
            stream: .room("room_1"), fromSeq: 1, toSeq: Int64(count), eventCount: Int64(count),
            eventHashRoot: "sha256:root", events: events, hasTerminalEvent: hasEnd)
    }

    private func facts(_ window: EvidenceWindow, steps: Int = 1, artifacts: Int = 0) -> EvidenceFacts {
        EvidenceFacts(
            window: window, correlationID: "corr", stepIDs: (0..<steps).map { StepID("step_\($0)") },
            toolCallIDs: ["tc_1"],
            artifactIDs: (0..<min(artifacts, EvidenceDecider.pointersMax)).map { ArtifactID("art_\($0)") },
            artifactCount: artifacts, areToolCallsTerminal: true)
    }

    private func finalize(_ world: inout World, _ facts: EvidenceFacts) throws -> JSONValue {
        world.record([
            try EvidenceDecider.finalize(
                "evd_1", of: world.run!, facts, digest: { "bytes:\($0.count)" }, world.facts(.api))
        ])
        return try #require(world.evidence).manifest
    }

    @Test("is made of a run that has ended, in whatever way", arguments: RunStatus.allCases)
    func ended(_ status: RunStatus) throws {
        var world = try World.with(status)
        guard status.isTerminal else {
            #expect(reason { _ = try finalize(&world, facts(window(3))) } == .runNotEnded)
            return
        }
        let last = world.events.last?.envelope.eventID
        let manifest = try finalize(&world, facts(window(3)))
        #expect(manifest["run_status"] == .string(status.rawValue))
        #expect(world.evidence?.runStatus == status)
        #expect(world.events.last?.envelope.causationID == last)
    }

    @Test("has the members of the surface, absent ones null, in the order they are hashed in")
    func members() throws {
        var world = try World.with(.succeeded)
        let manifest = try finalize(&world, facts(window(2), artifacts: 1))
        #expect(
            Set(manifest.objectValue?.keys ?? []) == [
                "schema_version", "evidence_id", "workspace_id", "run_id", "room_id", "thread_id", "correlation_id",
                "run_status", "stream_window", "pointers", "completeness", "generated_at",
            ])
        #expect(manifest["thread_id"] == .null)
        #expect(manifest["schema_version"] == 1)
        #expect(
            Set(manifest["pointers"]?.objectValue?.keys ?? []) == [
                "step_ids", "tool_call_ids", "artifact_ids", "events",
            ])
        #expect(
            manifest["pointers"]?["events"]?[0] == [
                "event_id": "e-1", "event_type": "step.created", "occurred_at": .string(World.start.description),
                "stream_seq": 1, "event_hash": "sha256:1",
            ])
        #expect(
            manifest["completeness"] == [
                "terminal_event_present": true, "all_toolcalls_terminal": true, "artifact_count": 1,
            ])
        #expect(JSON.write(manifest) == JSON.canonical(manifest))
        #expect(world.evidence?.manifestHash == "bytes:\(JSON.canonical(manifest).count)")
    }

    @Test("lists so many things of a kind, and says what it leaves out")
    func truncated() throws {
        var world = try World.with(.failed)
        let most = EvidenceDecider.pointersMax
        let whole = try finalize(&world, facts(window(most), steps: most, artifacts: most))["pointers"]
        #expect(whole?.objectValue?.keys.contains { $0.hasSuffix("_truncated") } == false)
        world = try World.with(.failed)
        let cut = try finalize(&world, facts(window(most + 500, listed: most), steps: most + 1, artifacts: most + 7))
        for list in ["events", "step_ids", "artifact_ids"] {
            #expect(cut["pointers"]?[list]?.arrayValue?.count == most, "\(list)")
            #expect(cut["pointers"]?["\(list)_truncated"] == true, "\(list)")
        }
        #expect(cut["pointers"]?["tool_call_ids_truncated"] == nil)
        #expect(cut["stream_window"]?["event_count"] == .integer(Int64(most + 500)))
        #expect(cut["completeness"]?["artifact_count"] == .integer(Int64(most + 7)))
    }
}
