import JSON

/// What could be read of a step, for the checks between steps.
struct StepDraft {
    let pointer: PlanPointer
    let id: PlanStepID?
    let tool: Tool?
    let arguments: JSONValue
    let needs: [(id: PlanStepID, place: PlanPointer)]
    /// Nil when a fault keeps the step from being one.
    let step: PlanStep?
}

/// Reads one step of a plan for itself.
struct StepParser {
    let log: FaultLog

    private static let names = [
        "id", "tool", "title", "with", "needs", "when", "retry", "timeout_ms", "effect", "artifacts",
        "continue_on_error",
    ]

    func read(_ value: JSONValue, at pointer: PlanPointer) -> StepDraft? {
        guard let reader = ObjectReader(value, "a step", at: pointer, allowing: Self.names, log: log) else {
            return nil
        }
        let id = id(reader)
        let tool = tool(reader)
        let arguments = reader["with"] ?? .object(JSONObject())
        let needs = needs(reader)
        let title = reader.title("title")
        let when = condition(reader)
        let retry = retry(reader)
        let timeout = reader.integer("timeout_ms", in: PlanStep.timeoutMsRange)
        let effect = reader.choice("effect", of: Effect.self)
        let artifacts = artifacts(reader)
        let goesOn = reader.flag("continue_on_error") ?? false
        if let tool { check(arguments, of: tool, declared: effect, reader) }
        let step: PlanStep? =
            if let id, let tool {
                PlanStep(
                    id: id, tool: tool, title: title, arguments: arguments, needs: needs.map(\.id), when: when,
                    retry: retry, timeoutMs: timeout, declaredEffect: effect, artifacts: artifacts,
                    continueOnError: goesOn)
            } else {
                nil
            }
        return StepDraft(pointer: pointer, id: id, tool: tool, arguments: arguments, needs: needs, step: step)
    }

    private func check(_ arguments: JSONValue, of tool: Tool, declared: Effect?, _ reader: ObjectReader) {
        guard let schema = ToolCatalogue.entry(tool).arguments else { return }
        ArgumentCheck(log: log).check(arguments, against: schema, at: reader.place("with"))
        do throws(PlanFault) {
            _ = try ToolCatalogue.effect(tool: tool, arguments: arguments, declared: declared)
        } catch {
            log.add(PlanPointer(reader.pointer.text + error.pointer), error.detail)
        }
    }

    private func id(_ reader: ObjectReader) -> PlanStepID? {
        let expected = "a lowercase letter and up to \(PlanStepID.bytesMax - 1) lowercase letters, digits and _"
        guard let value = reader["id"] else {
            reader.missing("id", "an id (\(expected))")
            return nil
        }
        return stepID(value, expected, at: reader.place("id"))
    }

    private func stepID(_ value: JSONValue, _ expected: String, at place: PlanPointer) -> PlanStepID? {
        if let id = value.stringValue.flatMap(PlanStepID.init(rawValue:)) { return id }
        log.add(place, "expected \(expected), found \(value.stringValue.map(quoted) ?? described(value))")
        return nil
    }

    private func tool(_ reader: ObjectReader) -> Tool? {
        let names = ToolCatalogue.executedNames
        guard let value = reader["tool"] else {
            reader.missing("tool", "one of \(names)")
            return nil
        }
        let name = value.stringValue ?? ""
        let tool = Tool(rawValue: name)
        if name.utf8.starts(with: "mcp.".utf8) || tool.map({ !ToolCatalogue.entry($0).isExecuted }) == true {
            log.add(
                reader.place("tool"),
                "tool \(quoted(name)) is not available yet, it comes with a later release; use one of \(names)")
        } else if tool == nil {
            let found = value.stringValue.map(quoted) ?? described(value)
            log.add(reader.place("tool"), "expected one of \(names), found \(found)")
        }
        return tool
    }

    private func needs(_ reader: ObjectReader) -> [(id: PlanStepID, place: PlanPointer)] {
        var seen: Set<PlanStepID> = []
        return reader.elements("needs", "step ids", atMost: Plan.stepsMax).compactMap { value, place in
            guard let id = stepID(value, "the id of a step", at: place) else { return nil }
            if seen.insert(id).inserted { return (id, place) }
            log.add(place, "expected each need once, found \(quoted(id.rawValue)) again; take it out")
            return nil
        }
    }

    private func condition(_ reader: ObjectReader) -> StepCondition {
        let when = reader.choice("when", of: StepCondition.self) ?? .success
        if when == .failure, reader["needs"]?.arrayValue?.isEmpty ?? true {
            log.add(
                reader.place("when"),
                "expected at least one need for when failure, found none; name the steps whose failure it handles")
        }
        return when
    }

    private func retry(_ step: ObjectReader) -> Retry {
        let names = ["max_attempts", "initial_ms", "factor", "max_ms"]
        guard
            let value = step["retry"],
            let reader = ObjectReader(value, "retry", at: step.place("retry"), allowing: names, log: log)
        else { return .never }
        if reader["max_attempts"] == nil { reader.missing("max_attempts", "the number of attempts") }
        let attempts = reader.integer("max_attempts", in: Retry.attemptsRange) ?? 1
        let first = reader.integer("initial_ms", in: Retry.delayMsRange) ?? Retry.never.initialMs
        let factor = reader.number("factor", in: Retry.factorRange) ?? Retry.never.factor
        let most = reader.integer("max_ms", in: Retry.delayMsRange) ?? max(first, Retry.never.maxMs)
        if most < first {
            log.add(reader.place("max_ms"), "expected max_ms to be at least initial_ms (\(first)), found \(most)")
        }
        return Retry(maxAttempts: attempts, initialMs: first, factor: factor, maxMs: most)
    }

    private func artifacts(_ step: ObjectReader) -> [PlanArtifact] {
        step.elements("artifacts", "artifacts", atMost: PlanStep.artifactsMax).compactMap { value, place in
            let names = ["path", "glob", "kind", "title"]
            guard let reader = ObjectReader(value, "an artifact", at: place, allowing: names, log: log)
            else { return nil }
            let kind = kind(reader)
            let title = reader.title("title")
            guard let source = source(reader), let kind else { return nil }
            return PlanArtifact(source: source, kind: kind, title: title)
        }
    }

    private func source(_ reader: ObjectReader) -> PlanArtifact.Source? {
        let found = ["path", "glob"].filter { reader[$0] != nil }
        guard found.count == 1 else {
            log.add(
                reader.pointer, "expected exactly one of path, glob, found \(found.isEmpty ? "none" : listed(found))")
            return nil
        }
        guard let text = reader.text(found[0], "a path inside the workdir") else { return nil }
        let isPath = found[0] == "path"
        if let problem = RelativePath.problem(text, for: isPath ? .file : .pattern) {
            log.add(reader.place(found[0]), problem)
            return nil
        }
        return isPath ? .path(text) : .glob(text)
    }

    private func kind(_ reader: ObjectReader) -> String? {
        let expected = "a kind of lowercase letters, digits, _, - and . (at most \(PlanArtifact.kindBytesMax) bytes)"
        guard let value = reader["kind"] else {
            reader.missing("kind", expected)
            return nil
        }
        if let kind = value.stringValue, Self.isKind(kind.utf8) { return kind }
        log.add(
            reader.place("kind"), "expected \(expected), found \(value.stringValue.map(quoted) ?? described(value))")
        return nil
    }

    private static func isKind(_ bytes: String.UTF8View) -> Bool {
        (1...PlanArtifact.kindBytesMax).contains(bytes.count) && bytes.first!.isLowerLetter
            && bytes.allSatisfy { $0.isLowerLetter || $0.isDigit || "_-.".utf8.contains($0) }
    }
}
