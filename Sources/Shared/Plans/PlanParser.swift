import JSON

/// Reads a plan in two walks: first each step for itself, then what they say of each other.
struct PlanParser {
    private let log = FaultLog()

    func parse(_ value: JSONValue) -> Result<Plan, PlanFaults> {
        let plan = read(value, at: PlanPointer("/plan"))
        guard let plan, log.isEmpty else {
            return .failure(PlanFaults(faults: log.faults, omitted: log.omitted))
        }
        return .success(plan)
    }

    private func read(_ value: JSONValue, at pointer: PlanPointer) -> Plan? {
        let names = ["version", "workdir", "limits", "steps"]
        guard let reader = ObjectReader(value, "the plan", at: pointer, allowing: names, log: log) else { return nil }
        checkSize(value, at: pointer)
        checkVersion(reader)
        let workdir = workdir(reader)
        let limits = limits(reader)
        let drafts = steps(reader)
        PlanReferences(drafts: drafts, log: log).check()
        return Plan(workdir: workdir, limits: limits, steps: drafts.compactMap(\.step))
    }

    private func checkSize(_ value: JSONValue, at pointer: PlanPointer) {
        let bytes = canonicalText(value).utf8.count
        guard bytes > Plan.bytesMax else { return }
        log.add(pointer, "expected a plan of at most \(Plan.bytesMax) bytes, found \(bytes); keep large texts in files")
    }

    private func checkVersion(_ reader: ObjectReader) {
        guard let version = reader["version"] else { return reader.missing("version", "the version \(Plan.version)") }
        guard version.intValue != Int64(Plan.version) else { return }
        log.add(reader.place("version"), "expected the version \(Plan.version), found \(described(version))")
    }

    private func workdir(_ plan: ObjectReader) -> PlanWorkdir {
        let fresh = PlanWorkdir(path: nil, isolation: .temp)
        guard
            let value = plan["workdir"],
            let reader = ObjectReader(
                value, "workdir", at: plan.place("workdir"), allowing: ["path", "isolation"], log: log)
        else { return fresh }
        let path = folder(reader)
        let isolation = reader.choice("isolation", of: PlanWorkdir.Isolation.self)
        switch isolation ?? (reader["path"] == nil ? .temp : .none) {
        case .none:
            if reader["path"] == nil { reader.missing("path", "a path for isolation none") }
            return PlanWorkdir(path: path, isolation: .none)
        case .temp:
            if reader["path"] == nil { return fresh }
            log.add(reader.place("path"), "expected no path with isolation temp, which makes a fresh folder, found one")
        case .worktree:
            log.add(reader.place("isolation"), "isolation worktree is not available yet; use none or temp")
        }
        return fresh
    }

    private func folder(_ reader: ObjectReader) -> String? {
        guard let path = reader.text("path", "the absolute path of a folder") else { return nil }
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        let isPlain = !path.utf8.contains(0) && !parts.contains { $0.elementsEqual("..".utf8) }
        let fits = path.utf8.count <= ArgumentSchema.pathBytesMax
        if path.utf8.first == UInt8(ascii: "/"), isPlain, fits { return path }
        log.add(
            reader.place("path"),
            "expected the absolute path of a folder (at most \(ArgumentSchema.pathBytesMax) bytes, without ..),"
                + " found \(quoted(path))")
        return nil
    }

    private func limits(_ plan: ObjectReader) -> PlanLimits {
        var limits = PlanLimits()
        let names = ["timeout_ms", "max_parallel", "max_tool_calls"]
        guard
            let value = plan["limits"],
            let reader = ObjectReader(value, "limits", at: plan.place("limits"), allowing: names, log: log)
        else { return limits }
        if let timeout = reader.integer("timeout_ms", in: PlanLimits.timeoutMsRange) { limits.timeoutMs = timeout }
        if let most = reader.integer("max_parallel", in: PlanLimits.parallelRange) { limits.maxParallel = most }
        if let most = reader.integer("max_tool_calls", in: PlanLimits.toolCallsRange) { limits.maxToolCalls = most }
        return limits
    }

    private func steps(_ plan: ObjectReader) -> [StepDraft] {
        if plan["steps"] == nil { plan.missing("steps", "an array of steps") }
        if plan["steps"]?.arrayValue?.isEmpty == true {
            log.add(plan.place("steps"), "expected 1 to \(Plan.stepsMax) steps, found none")
        }
        return plan.elements("steps", "steps", atMost: Plan.stepsMax).compactMap { value, place in
            StepParser(log: log).read(value, at: place)
        }
    }
}
