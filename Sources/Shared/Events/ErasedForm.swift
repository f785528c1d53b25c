package import JSON

/// What an erasure leaves of each type of payload: everything but what people and programs said in their own words, and
/// digests that a short text could be guessed from. Read models are folded of it like of any payload.
package enum ErasedForm {
    /// Stands where a text was.
    package static let mark = "[erased]"

    /// What goes, of each type that can be erased; `a.b` is a member of a member. Identifiers, times, amounts, names of
    /// actions, tools and plan steps stay.
    package static let texts: [String: [String]] = [
        ApprovalConsumed.type: [],
        ApprovalDecided.type: ["reason", "scope.args_hash"],
        ApprovalExpired.type: [],
        ApprovalRequested.type: ["title", "request", "context", "scope.args_hash"],
        ArtifactCreated.type: ["title", "mime_type", "sha256", "content", "metadata"],
        ConstraintLearned.type: ["guidance"],
        ExperimentClosed.type: ["reason"],
        ExperimentCreated.type: ["title", "hypothesis", "success_criteria", "stop_conditions", "metadata"],
        ExperimentUpdated.type: ["title", "hypothesis", "success_criteria", "stop_conditions", "metadata"],
        IncidentClosed.type: ["reason"],
        IncidentLearningLogged.type: ["note", "tags"],
        IncidentOpened.type: ["title", "summary", "entity_id", "details"],
        IncidentRCAUpdated.type: ["rca"],
        LearningFromFailure.type: ["reason", "guidance", "context"],
        LessonLogged.type: ["category", "summary", "action_items", "tags", "metadata"],
        MessageCreated.type: ["content_md", "labels"],
        MistakeRepeated.type: ["guidance"],
        PolicyDenied.type: ["reason", "args_hash", "arguments"],
        PolicyRequiresApproval.type: ["reason", "args_hash", "arguments"],
        RoomCreated.type: ["title", "topic"],
        RoomUpdated.type: ["title", "topic"],
        RunCancelRequested.type: ["reason"],
        RunCancelled.type: ["reason"],
        RunCompleted.type: ["summary", "output"],
        RunCreated.type: ["title", "goal", "input", "tags"],
        RunFailed.type: ["message", "error"],
        RunRequeued.type: [],
        RunStarted.type: [],
        RunWaiting.type: [],
        ScorecardRecorded.type: ["metrics", "metrics_hash", "rationale", "metadata"],
        StepCancelled.type: ["reason"],
        StepCreated.type: ["title", "input"],
        StepFailed.type: ["message", "error"],
        StepSkipped.type: ["reason"],
        StepSucceeded.type: ["output"],
        ThreadCreated.type: ["title"],
        ToolFailed.type: ["message", "error"],
        ToolInvoked.type: ["title", "input", "args_hash"],
        ToolRequested.type: ["title", "input", "args_hash"],
        ToolResolved.type: ["reason", "output"],
        ToolSucceeded.type: ["output"],
        ToolUnknown.type: ["reason"],
    ]

    /// The types that stay whole, each with the reason.
    package static let refusals: [String: String] = [
        APIStarted.type: instance, APIStopped.type: instance, ConfigurationReloaded.type: instance,
        KillSwitchEngaged.type: instance, KillSwitchLifted.type: instance, LogBackedUp.type: instance,
        LogRestored.type: instance,
        EngineDeactivated.type: credentials, EngineRegistered.type: credentials, EngineTokenIssued.type: credentials,
        EngineTokenRevoked.type: credentials, LoginFailed.type: credentials, OwnerCreated.type: credentials,
        SessionIssued.type: credentials, WebSessionEnded.type: credentials, WebSessionIssued.type: credentials,
        SessionRefreshed.type: credentials, SessionRevoked.type: credentials,
        EventErased.type: "it says who erased what and why",
        EventRedacted.type: "it says where secrets were taken out",
        SecretLeakedDetected.type: "it says where secrets were taken out, and has none",
        EvidenceManifestCreated.type: "it seals a run, and holds identifiers and hashes only",
    ]

    private static let instance = "it is about the instance"
    private static let credentials = "it says who had access"

    /// The payload's erased form; nil for a type that cannot be erased, or that this program does not know.
    package static func of(_ type: String, _ data: JSONValue) -> JSONValue? {
        texts[type].map { $0.reduce(data) { erase($1.split(separator: ".").map(String.init)[...], in: $0) } }
    }

    private static func erase(_ path: ArraySlice<String>, in data: JSONValue) -> JSONValue {
        guard let name = path.first, var members = data.objectValue, let value = members[name], !value.isNull else {
            return data
        }
        members[name] = path.count > 1 ? erase(path.dropFirst(), in: value) : remains(of: name, value)
        return .object(members)
    }

    private static func remains(of name: String, _ value: JSONValue) -> JSONValue? {
        switch (name, value) {
        // A content says of what type it is.
        case ("content", _): ["type": .string(ArtifactContent.Kind.none.rawValue)]
        // What names a blob must not name one that is not there.
        case ("sha256", _): nil
        case (_, .string): .string(mark)
        case (_, .array): []
        case (_, .object): [:]
        case (_, .null), (_, .bool), (_, .integer), (_, .number): nil
        }
    }
}
