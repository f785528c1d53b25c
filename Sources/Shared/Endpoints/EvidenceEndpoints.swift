import HTTP

// Evidence: what proves afterwards what a run did.

extension Endpoint where Body == Nothing, Answer == EvidenceAnswer {
    package static var evidence: Self {
        .init(
            .get, "/v1/runs/{run_id}/evidence",
            "The manifest of a run that has ended: its events by hash, and a root over them.",
            refuses: [.evidenceNotFound])
    }
}

extension Endpoint where Body == Nothing, Answer == EvidenceFinalizedAnswer {
    package static var finalizeEvidence: Self {
        .init(
            .post, "/v1/runs/{run_id}/evidence/finalize",
            "Makes the manifest if it is not there; every run that ends gets one by itself.", .created, also: [.ok],
            refuses: [.runNotFound, .runNotEnded])
    }
}

/// The evidence of one run.
package struct EvidenceAnswer: Codable, Hashable, Sendable {
    package var evidence: Evidence

    package init(evidence: Evidence) {
        self.evidence = evidence
    }
}

/// The evidence of one run, and whether it was made just now.
package struct EvidenceFinalizedAnswer: Codable, Hashable, Sendable {
    package var created: Bool
    package var evidence: Evidence

    package init(created: Bool, evidence: Evidence) {
        (self.created, self.evidence) = (created, evidence)
    }
}
