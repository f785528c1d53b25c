package import Shared

extension SearchDocument {
    /// How much of a text is searched. What lies beyond is found by reading the thing itself.
    package static let textBytesMax = 64 << 10

    /// What the event brings to search, if it brings anything. Each event brings at most one document, and no later
    /// event changes it: texts are said once.
    package init?(_ recorded: Recorded<DomainEvent>) {
        switch recorded.event {
        case .thread(.messageCreated(let message)):
            self.init(message.messageID.rawValue, .message, nil, message.contentMd, message.lang, recorded.envelope)
        case .run(.created(let run)):
            self.init(run.runID.rawValue, .run, run.title, run.goal, nil, recorded.envelope)
        case .artifact(.created(let artifact)):
            let text = artifact.content?.type == .text ? artifact.content?.text : nil
            self.init(artifact.artifactID.rawValue, .artifact, artifact.title, text, nil, recorded.envelope)
        case .incident(.opened(let incident)):
            self.init(
                incident.incidentID.rawValue, .incident, incident.title, incident.summary, nil, recorded.envelope)
        case .thread, .run, .artifact, .incident, .approval, .auth, .engine, .evidence, .experiment, .learning, .log,
            .policy, .review, .room, .step, .system, .toolCall:
            return nil
        }
    }

    private init?(
        _ id: String, _ kind: Kind, _ title: String?, _ text: String?, _ lang: String?, _ envelope: EventEnvelope
    ) {
        // What was erased is not to be found by the word that stands for it.
        let parts = [title, text].compactMap { Limits.trimmed($0) == nil || $0 == ErasedForm.mark ? nil : $0 }
        guard !parts.isEmpty else { return nil }
        self.init(
            docID: id, docSeq: envelope.globalSeq, workspaceID: envelope.workspaceID, docType: kind,
            contentText: SearchText.prefix(parts.joined(separator: "\n"), bytesMax: Self.textBytesMax),
            at: envelope.recordedAt)
        (roomID, threadID, self.title) = (envelope.roomID, envelope.threadID, title)
        self.lang = lang ?? Self.undetermined
    }
}
