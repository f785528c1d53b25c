package import JSON
package import Shared

/// Scorecards: measured values in, one score and one decision out.
package enum ScorecardDecider {
    /// From here on a score passes, and from there on it only warns.
    package static let (passScore, warnScore) = (0.75, 0.5)
    /// Far beyond anything that is measured, and far from where a sum of products overflows.
    package static let magnitudeMax = 1e12

    /// The metrics in the order of their keys, which is that of RFC 8785: by UTF-16 code units.
    package static func metrics(_ value: JSONValue?) throws(Rejection) -> [ScorecardMetric] {
        guard let items = value?.arrayValue, !items.isEmpty else {
            throw fault("metrics", "expected a list of {key, value, weight}, found \(value?.kindName ?? "nothing")")
        }
        guard items.count <= RecordScorecard.metricsMax else {
            throw fault("metrics", "expected at most \(RecordScorecard.metricsMax), found \(items.count)")
        }
        var metrics: [ScorecardMetric] = []
        var keys: Set<String> = []
        for (index, item) in items.enumerated() {
            let metric = try metric(item, at: "metrics.\(index)")
            guard keys.insert(metric.key).inserted else {
                throw fault("metrics.\(index).key", "'\(metric.key)' is there twice; each key may be there once")
            }
            metrics.append(metric)
        }
        return metrics.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
    }

    private static func metric(_ item: JSONValue, at field: String) throws(Rejection) -> ScorecardMetric {
        guard item.objectValue != nil else { throw fault(field, "expected an object, found \(item.kindName)") }
        guard let key = Limits.trimmed(item["key"]?.stringValue), key.utf8.count <= Limits.nameBytesMax else {
            throw fault("\(field).key", "expected a text of 1 to \(Limits.nameBytesMax) bytes")
        }
        guard let value = item["value"]?.doubleValue, abs(value) <= magnitudeMax else {
            throw fault("\(field).value", "expected a number within ±1e12")
        }
        var metric = ScorecardMetric(key: key, value: value)
        if let weight = item["weight"], !weight.isNull {
            guard let weight = weight.doubleValue, weight > 0, weight <= magnitudeMax else {
                throw fault("\(field).weight", "expected a number above 0 and up to 1e12")
            }
            metric.weight = weight
        }
        return metric
    }

    private static func fault(_ field: String, _ detail: String) -> Rejection {
        .field(field, .invalidMetrics, "\(field): \(detail)")
    }

    /// The bytes whose SHA-256 is `metrics_hash`.
    package static func hashed(_ metrics: [ScorecardMetric]) -> [UInt8] {
        // Texts came out of JSON and numbers are within bounds: they can be written.
        try! JSON.canonical(encoding: metrics)
    }

    /// The weighted mean, held between 0 and 1.
    package static func score(_ metrics: [ScorecardMetric]) -> Double {
        let weights = metrics.reduce(0) { $0 + $1.weight }
        let mean = metrics.reduce(0) { $0 + $1.weight * $1.value } / weights
        return mean > 0 ? min(mean, 1) : 0
    }

    package static func decision(_ score: Double) -> ScorecardDecision {
        score >= passScore ? .pass : score >= warnScore ? .warn : .fail
    }

    /// - Parameters:
    ///   - metrics: What ``metrics(_:)`` made of the request's.
    ///   - metricsHash: `sha256:` over ``hashed(_:)``.
    ///   - evidenceRun: The run that the named evidence belongs to.
    package static func record(
        _ id: ScorecardID, _ request: RecordScorecard, metrics: [ScorecardMetric], metricsHash: String,
        evidenceRun: RunID?, in workspace: WorkspaceID, correlationID: String, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let key = try Limits.require(
            request.templateKey, "template_key", bytesMax: Limits.nameBytesMax, .missingTemplateKey)
        let version = try Limits.require(
            request.templateVersion, "template_version", bytesMax: Limits.nameBytesMax, .missingTemplateVersion)
        if let named = request.runID, let evidenceRun, named != evidenceRun {
            throw .field(
                "evidence_id", .evidenceRunMismatch,
                "evidence_id: the evidence is that of \(evidenceRun), not of \(named)")
        }
        // Evidence is of one run: a scorecard over it judges that run, whether it says so or not.
        let runID = request.runID ?? evidenceRun
        let score = score(metrics)
        let recorded = ScorecardRecorded(
            scorecardID: id, experimentID: request.experimentID, runID: runID, evidenceID: request.evidenceID,
            agentID: Limits.trimmed(request.agentID), principalID: Limits.trimmed(request.principalID),
            templateKey: key, templateVersion: version, metrics: metrics, metricsHash: metricsHash, score: score,
            decision: decision(score), rationale: Limits.trimmed(request.rationale), metadata: request.metadata ?? [:])
        // In the workspace's stream, also where the run has a room (API_CORE 2.2).
        let scope = EventScope(workspaceID: workspace, runID: runID, correlationID: correlationID)
        return EventDraft(.review(.scorecardRecorded(recorded)), in: scope, by: facts.actor)
    }

    /// Whether the request brings what its template asks for.
    package static func checkEvidence(_ request: RecordScorecard) throws(Rejection) {
        guard request.requiresEvidence == true, request.evidenceID == nil,
            Limits.trimmed(request.metadata?["justification"]?.stringValue) == nil
        else { return }
        throw .field(
            "evidence_id", .missingEvidenceForTemplate,
            "the template asks for evidence: name it in evidence_id, or say in metadata.justification why there is none"
        )
    }

    package static func evolve(_ scorecard: Scorecard?, _ recorded: Recorded<ReviewEvent>) -> Scorecard? {
        switch recorded.event {
        case .lessonLogged: return scorecard
        case .scorecardRecorded(let event):
            let envelope = recorded.envelope
            var scorecard = Scorecard(
                scorecardID: event.scorecardID, workspaceID: envelope.workspaceID, templateKey: event.templateKey,
                templateVersion: event.templateVersion, by: envelope.actor, correlationID: envelope.correlationID,
                at: recorded.at)
            (scorecard.experimentID, scorecard.runID) = (event.experimentID, event.runID)
            (scorecard.evidenceID, scorecard.agentID) = (event.evidenceID, event.agentID)
            (scorecard.principalID, scorecard.metrics) = (event.principalID, event.metrics)
            (scorecard.metricsHash, scorecard.score) = (event.metricsHash, event.score)
            (scorecard.decision, scorecard.rationale) = (event.decision, event.rationale)
            (scorecard.metadata, scorecard.lastEventID) = (event.metadata ?? [:], envelope.eventID)
            return scorecard
        }
    }
}
