import Shared

// Sentences about what is kept beside the runs: conversations, incidents, evidence, experiments, sessions.

extension EventSentence {
    init(_ event: ThreadEvent, _ by: String) {
        switch event {
        case .created(let event): self.init(.note, "thread '\(event.title)' opened by \(by)")
        case .messageCreated(let event):
            self.init(.note, "\(event.senderType):\(event.senderID) wrote: \(event.contentMd)")
        }
    }

    init(_ event: IncidentEvent, _ by: String) {
        switch event {
        case .opened(let event):
            self.init(
                .failed,
                "incident opened by \(by): \(event.title)\(event.severity.map { " (\($0.rawValue))" } ?? "")")
        case .rcaUpdated: self.init(.note, "root cause written by \(by)")
        case .learningLogged(let event): self.init(.note, "learned: \(event.note)")
        case .closed(let event):
            self.init(.note, "incident closed by \(by)\(event.reason.map { ": \($0)" } ?? "")")
        }
    }

    init(_ event: EvidenceEvent) {
        switch event {
        case .manifestCreated(let event):
            self.init(.note, "evidence of \(event.eventCount) events: \(event.manifestHash)")
        }
    }

    init(_ event: ExperimentEvent, _ by: String) {
        switch event {
        case .created(let event): self.init(.note, "experiment '\(event.title)' begun by \(by)")
        case .updated: self.init(.note, "experiment changed by \(by)")
        case .closed(let event):
            self.init(.note, "experiment \(event.status.rawValue) by \(by)\(event.reason.map { ": \($0)" } ?? "")")
        }
    }

    init(_ event: ReviewEvent) {
        switch event {
        case .scorecardRecorded(let event):
            self.init(.note, "scorecard \(event.templateKey): \(event.decision.rawValue), \(event.score)")
        case .lessonLogged(let event): self.init(.note, "lesson: \(event.summary)")
        }
    }

    init(_ event: LearningEvent) {
        switch event {
        case .fromFailure(let event): self.init(.note, "refused: \(event.guidance)")
        case .constraintLearned(let event): self.init(.note, "to remember: \(event.guidance)")
        case .mistakeRepeated(let event): self.init(.note, "again (\(event.repeatCount)): \(event.guidance)")
        }
    }

    init(_ event: AuthEvent, _ by: String) {
        switch event {
        case .ownerCreated(let event): self.init(.note, "owner '\(event.displayName)' set up")
        case .sessionIssued: self.init(.note, "\(by) logged in")
        case .sessionRefreshed: self.init(.note, "\(by) renewed the session")
        case .sessionRevoked(let event): self.init(.note, "session of \(by) ended: \(event.reason)")
        case .loginFailed: self.init(.failed, "a login failed: wrong passphrase")
        case .webSessionIssued(let event):
            self.init(.note, "\(by) signed a browser in" + (event.isReadOnly ? ", to look only" : ""))
        case .webSessionEnded: self.init(.note, "\(by) signed a browser out")
        }
    }
}
