import HTTP

// Evidence: what proves afterwards what a run did.

extension Endpoint where Body == Nothing, Answer == EvidenceAnswer {
    package static var evidence: Self {
        .init(
            .get, "/v1/runs/{run_id}/evidence",
            "The manifest of a run that has ended: its events by hash, and a root over them.",
            refuses: [.evidenceNotFound],
            notes: """
                `manifest_hash` is `sha256:` and the SHA-256 of the RFC 8785 form of `manifest`. `event_hash_root` is `sha256:` and \
                the SHA-256 of the `event_hash` texts of the run's events in `stream_window`, in the order of the stream, joined \
                by a line feed; `manifest.pointers.events` lists them (up to 1,000; beyond that `events_truncated` is true and the \
                root is still over all).
                """)
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
