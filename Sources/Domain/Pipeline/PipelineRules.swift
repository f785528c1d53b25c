package import Shared

/// What the stage of an entity follows from: its own state, and that of what belongs to it.
package struct PipelineFacts: Hashable, Sendable {
    package struct Run: Hashable, Sendable {
        package var runID: RunID
        package var status: RunStatus

        package init(_ runID: RunID, _ status: RunStatus) { (self.runID, self.status) = (runID, status) }
    }

    package struct Evidence: Hashable, Sendable {
        package var evidenceID: EvidenceID
        package var runID: RunID
        /// How the run ended that it is evidence of.
        package var runStatus: RunStatus

        package init(_ evidenceID: EvidenceID, of runID: RunID, _ runStatus: RunStatus) {
            (self.evidenceID, self.runID, self.runStatus) = (evidenceID, runID, runStatus)
        }

        /// Evidence of a failure is evidence all the same, but nothing to promote.
        package var isRejected: Bool { runStatus == .failed }
    }

    package struct Scorecard: Hashable, Sendable {
        package var decision: ScorecardDecision
        package var runID: RunID?
        package var evidenceID: EvidenceID?

        package init(_ decision: ScorecardDecision, of runID: RunID? = nil, by evidenceID: EvidenceID? = nil) {
            (self.decision, self.runID, self.evidenceID) = (decision, runID, evidenceID)
        }
    }

    package var entityID: String
    package var correlationID: String
    /// Nil when it cannot be read.
    package var updatedAt: Timestamp?
    /// Of the experiment itself, or of the one that the run belongs to.
    package var experiment: ExperimentStatus?
    /// The run itself, that of the approval, or the experiment's newest.
    package var run: Run?
    package var evidence: Evidence?
    /// The newest of the run, or of the experiment.
    package var scorecard: Scorecard?
    /// Whether the run's incident that changed last is open.
    package var hasOpenIncident = false
    /// Whether an approval is pending or held: the entity itself, or one of the run.
    package var hasOpenApproval = false

    package init(entityID: String, correlationID: String, updatedAt: Timestamp?) {
        (self.entityID, self.correlationID, self.updatedAt) = (entityID, correlationID, updatedAt)
    }
}

/// Where an entity stands, and what is odd about it.
package struct PipelinePlace: Hashable, Sendable {
    package var stage: PipelineStage
    package var diagnostic: PipelineDiagnostic?

    package init(_ stage: PipelineStage, _ diagnostic: PipelineDiagnostic? = nil) {
        (self.stage, self.diagnostic) = (stage, diagnostic)
    }
}

/// The stage rules, whole (API_CORE 11, RULINGS 34).
package enum PipelineRules {
    /// The first rule that holds decides.
    /// - Returns: Nil for what is archived with its experiment.
    package static func place(_ facts: PipelineFacts) -> PipelinePlace? {
        switch facts.experiment {
        case .closed, .stopped: return nil
        case .open, nil: break
        }
        if facts.isIncomplete { return PipelinePlace(.inbox, .missingData) }
        if facts.hasOpenIncident { return PipelinePlace(.demoted) }
        switch facts.run?.status {
        case .failed: return PipelinePlace(.demoted)
        case .cancelled: return PipelinePlace(.demoted, .cancelled)
        case .queued, .running, .waiting, .succeeded, nil: break
        }
        if facts.scorecard?.decision == .fail { return PipelinePlace(.demoted) }
        if facts.evidence?.isRejected == true { return PipelinePlace(.executeWorkspace) }
        switch (facts.run?.status, facts.scorecard?.decision) {
        case (.succeeded, nil), (.succeeded, .warn): return PipelinePlace(.reviewEvidence)
        case (_, .pass):
            return facts.isProven
                ? PipelinePlace(.promoted) : PipelinePlace(.reviewEvidence, .ghostEvidenceOrMismatch)
        default: break
        }
        switch facts.run?.status {
        case .queued, .running: return PipelinePlace(.executeWorkspace)
        case .waiting: return PipelinePlace(facts.hasOpenApproval ? .pendingApproval : .executeWorkspace)
        case .succeeded, .failed, .cancelled, nil: break
        }
        if facts.hasOpenApproval { return PipelinePlace(.pendingApproval) }
        if facts.experiment == .open { return PipelinePlace(.inbox) }
        return PipelinePlace(.inbox, .unmatchedState)
    }
}

extension PipelineFacts {
    fileprivate var isIncomplete: Bool {
        Limits.trimmed(entityID) == nil || Limits.trimmed(correlationID) == nil || updatedAt == nil
    }

    /// Whether the scorecard judges the run that succeeded, by the evidence of that run.
    fileprivate var isProven: Bool {
        guard let run, run.status == .succeeded, let evidence, evidence.runID == run.runID, let scorecard else {
            return false
        }
        return (scorecard.runID ?? run.runID) == run.runID
            && (scorecard.evidenceID ?? evidence.evidenceID) == evidence.evidenceID
    }
}
