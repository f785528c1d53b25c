/// The identifiers in the examples of the endpoints. Tests that send an example put things of their own in their place.
package enum ExampleIDs {
    package static let approval: ApprovalID = "appr_01JABCDEF0123456789ABCDEFG"
    package static let engine: EngineID = "eng_0123456789abcdef0123456789abcdef"
    package static let evidence: EvidenceID = "evd_01JABCDEF0123456789ABCDEFG"
    package static let experiment: ExperimentID = "exp_01JABCDEF0123456789ABCDEFG"
    package static let incident: IncidentID = "inc_01JABCDEF0123456789ABCDEFG"
    package static let lesson: LessonID = "les_01JABCDEF0123456789ABCDEFG"
    package static let message: MessageID = "msg_01JABCDEF0123456789ABCDEFG"
    package static let room: RoomID = "room_01JABCDEF0123456789ABCDEFG"
    package static let run: RunID = "run_01JABCDEF0123456789ABCDEFG"
    package static let scorecard: ScorecardID = "scd_01JABCDEF0123456789ABCDEFG"
    package static let step: StepID = "step_01JABCDEF0123456789ABCDEFG"
    package static let thread: ThreadID = "th_01JABCDEF0123456789ABCDEFG"
    package static let toolCall: ToolCallID = "tc_01JABCDEF0123456789ABCDEFG"

    package static let workspace: WorkspaceID = "ws_home"
    /// Of no session: a test puts a live one in its place.
    package static let refreshToken = "rtk_of_the_session"
    /// Of no link: a test puts an open one in its place.
    package static let loginCode = "alk_of_the_link"

    /// Each with the path parameter that names such a thing.
    package static let parameters: [(name: String, example: String)] = [
        ("approval_id", approval.rawValue), ("engine_id", engine.rawValue), ("evidence_id", evidence.rawValue),
        ("experiment_id", experiment.rawValue), ("incident_id", incident.rawValue), ("lesson_id", lesson.rawValue),
        ("message_id", message.rawValue), ("room_id", room.rawValue), ("run_id", run.rawValue),
        ("scorecard_id", scorecard.rawValue),
        ("step_id", step.rawValue), ("thread_id", thread.rawValue), ("tool_call_id", toolCall.rawValue),
    ]
}
