import HTTP
package import JSON

// The event log.

extension Endpoint where Body == Nothing, Answer == EventList {
    package static var events: Self {
        .init(
            .get, "/v1/events",
            """
            Events of the workspace, oldest first; the cursor is `global_seq`. With `Accept: application/x-ndjson` or \
            `application/cloudevents-batch+json` an export: everything that matches, up to the end of the log as it is now.
            """,
            query: [
                .choice("stream_type", StreamType.self, "With `stream_id`: only this stream.", .invalidStreamType),
                .init("stream_id", "With `stream_type`: only this stream."),
                .init(
                    "from_seq", .integer(0...Int64.max), "With a stream: only events after this `stream_seq`.",
                    refusal: .invalidCursor), .equals("room_id"), .equals("thread_id"), .equals("run_id"),
                .equals("step_id"), .equals("correlation_id"), .equals("event_type"),
                .init("event_types", .list(itemsMax: 20), "Only these types, at most 20.", refusal: .invalidField),
                .choice("actor_type", ActorType.self, "Only what such an actor did."), .equals("actor_id"),
                .init("subject_agent_id", "Only events whose `data.agent_id` is this."),
                .init(
                    "subject_principal_id",
                    "Only what this principal did, and events whose `data.principal_id` or `data.issued_to_principal_id` it is."
                ),
                .init(
                    "before_recorded_at", .time,
                    "Pages go backwards: the newest one recorded before this time, still oldest first; its cursor leads to the one before.",
                    refusal: .invalidBeforeRecordedAt),
                .init("include_system", .flag, "`1` adds the events of the instance itself."), .limit(100, max: 200),
                .init(
                    "cursor", .integer(0...Int64.max),
                    "The `next_cursor` of an earlier answer: the `global_seq` that was seen last.",
                    refusal: .invalidCursor),
            ], answers: ["application/json", "application/x-ndjson", "application/cloudevents-batch+json"],
            refuses: [.notAcceptable, .streamTypeAndStreamIDRequiredTogether],
            notes: """
                A list leaves out what only one event shows: `policy_context`, `model_context`, `display`, keys and hashes. A line \
                of NDJSON is one event with all its members and with `hash_version` and `payload_salt` (hex), so that its hash \
                can be recomputed (HASH_CHAIN.md). CloudEvents 1.0: `id` is the `event_id`, `source` `/workspaces/<workspace_id>`, \
                `type` `dev.aos.<event_type>`, `subject` the stream, `sequence` the `global_seq` with leading zeros.
                """)
    }
}

extension Endpoint where Body == Nothing, Answer == EventAnswer {
    package static var event: Self {
        .init(
            .get, "/v1/events/{event_id}",
            "One event, with its hashes and contexts; with `Accept: application/cloudevents+json` as a CloudEvent.",
            refuses: [.eventNotFound, .notAcceptable])
    }
}

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var roomStream: Self {
        .init(
            .get, "/v1/streams/rooms/{room_id}", "Server-sent events of a room, from `Last-Event-ID` or `from_seq` on.",
            query: [
                .init(
                    "from_seq", .integer(0...Int64.max), "The last `stream_seq` that was seen; `Last-Event-ID` wins.",
                    refusal: .invalidCursor)
            ], answers: ["text/event-stream"], refuses: [.roomNotFound],
            notes: """
                After one empty line each event is `id: <stream_seq>`, `data: <the event as one line of JSON>` and an empty line, \
                without an `event:` field; a comment is sent when nothing has happened for 15 s. The stream never ends by itself; \
                come again with `Last-Event-ID`, and nothing is missed or doubled.
                """)
    }
}

extension Endpoint where Body == Nothing, Answer == Nothing {
    package static var workspaceStream: Self {
        .init(
            .get, "/v1/streams/workspace",
            "Server-sent events of everything in the workspace, from `Last-Event-ID` or `from_seq` on, else from now on.",
            query: [
                .init(
                    "from_seq", .integer(0...Int64.max), "The last `global_seq` that was seen; `Last-Event-ID` wins.",
                    refusal: .invalidCursor),
                .init("include_system", .flag, "`1` adds the events of the instance itself."),
            ], answers: ["text/event-stream"], refuses: [.operatorRequired],
            notes: """
                Begins with an `id:` alone, the place where it begins. Then each event is `id: <global_seq>`, `data: <the event \
                as one line of JSON>` and an empty line; numbers in between belong to others. A comment is sent when nothing \
                has happened for 15 s. The stream never ends by itself; come again with `Last-Event-ID`, and nothing is missed \
                or doubled.
                """)
    }
}

/// Events, oldest first.
package struct EventList: PagedAnswer, Codable, Hashable, Sendable {
    package var events: [EventRow]
    package var nextCursor: String?

    package init(events: [EventRow], nextCursor: String? = nil) {
        (self.events, self.nextCursor) = (events, nextCursor)
    }
}

/// One event.
package struct EventAnswer: Codable, Hashable, Sendable {
    package var event: EventRow

    package init(event: EventRow) {
        self.event = event
    }
}

/// An event as it is read: flat. A list leaves the contexts out.
package struct EventRow: Codable, Hashable, Sendable, SparselyWritten {
    package var globalSeq: Int64
    package var eventID: EventID
    package var eventType: String
    package var eventVersion: Int64
    package var occurredAt: Timestamp
    package var recordedAt: Timestamp
    package var workspaceID: WorkspaceID
    package var missionID: String?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var actorType: ActorType
    package var actorID: String
    package var actorPrincipalID: String?
    package var zone: Zone
    package var runID: RunID?
    package var stepID: StepID?
    package var streamType: StreamType
    package var streamID: String
    package var streamSeq: Int64
    package var correlationID: String
    package var causationID: EventID?
    package var redactionLevel: RedactionLevel?
    package var containsSecrets: Bool?
    package var data: JSONValue
    package var policyContext: JSONValue?
    package var modelContext: JSONValue?
    package var display: JSONValue?
    package var idempotencyKey: String?
    package var entityType: String?
    package var entityID: String?
    package var payloadDigest: String?
    package var prevEventHash: String?
    package var eventHash: String?

    package init(
        globalSeq: Int64, eventID: EventID, eventType: String, eventVersion: Int64, occurredAt: Timestamp,
        recordedAt: Timestamp, workspaceID: WorkspaceID, missionID: String? = nil, roomID: RoomID? = nil,
        threadID: ThreadID? = nil, actorType: ActorType, actorID: String, actorPrincipalID: String? = nil, zone: Zone,
        runID: RunID? = nil, stepID: StepID? = nil, streamType: StreamType, streamID: String, streamSeq: Int64,
        correlationID: String, causationID: EventID? = nil, redactionLevel: RedactionLevel? = nil,
        containsSecrets: Bool? = nil, data: JSONValue, policyContext: JSONValue? = nil,
        modelContext: JSONValue? = nil, display: JSONValue? = nil, idempotencyKey: String? = nil,
        entityType: String? = nil, entityID: String? = nil, payloadDigest: String? = nil,
        prevEventHash: String? = nil, eventHash: String? = nil
    ) {
        (self.globalSeq, self.eventID, self.eventType, self.eventVersion) = (
            globalSeq, eventID, eventType, eventVersion
        )
        (self.occurredAt, self.recordedAt, self.workspaceID, self.missionID) = (
            occurredAt, recordedAt, workspaceID, missionID
        )
        (self.roomID, self.threadID, self.actorType, self.actorID) = (roomID, threadID, actorType, actorID)
        (self.actorPrincipalID, self.zone, self.runID, self.stepID) = (actorPrincipalID, zone, runID, stepID)
        (self.streamType, self.streamID, self.streamSeq, self.correlationID) = (
            streamType, streamID, streamSeq, correlationID
        )
        (self.causationID, self.redactionLevel, self.containsSecrets, self.data) = (
            causationID, redactionLevel, containsSecrets, data
        )
        (self.policyContext, self.modelContext, self.display, self.idempotencyKey) = (
            policyContext, modelContext, display, idempotencyKey
        )
        (self.entityType, self.entityID, self.payloadDigest, self.prevEventHash) = (
            entityType, entityID, payloadDigest, prevEventHash
        )
        self.eventHash = eventHash
    }
}
