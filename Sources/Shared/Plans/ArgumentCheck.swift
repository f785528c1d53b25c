import JSON

/// Checks the arguments of a call against the schema of its tool. Values that are templates are left open; templates
/// that cannot be read are left to `TemplateCheck`.
struct ArgumentCheck {
    let log: FaultLog

    func check(_ arguments: JSONValue, against schema: ArgumentSchema, at pointer: PlanPointer) {
        guard case .object(let members) = arguments else {
            return log.add(pointer, "expected an object of arguments, found \(described(arguments))")
        }
        checkNames(of: members, in: schema, at: pointer)
        for field in schema.fields {
            if let value = members[field.name] {
                check(value, field.shape, at: pointer.member(field.name))
            } else if field.isRequired {
                log.add(pointer.member(field.name), "expected \(field.name), found nothing; add it")
            }
        }
        for rule in schema.rules { check(rule, in: members, at: pointer) }
    }

    private func checkNames(of members: JSONObject, in schema: ArgumentSchema, at pointer: PlanPointer) {
        let names = schema.fields.map(\.name)
        for (name, _) in members where !names.contains(name) {
            log.add(pointer.member(name), "expected one of \(listed(names)), found \(quoted(name)); take it out")
        }
    }

    private func check(_ rule: ArgumentRule, in members: JSONObject, at pointer: PlanPointer) {
        switch rule {
        case .exactlyOne(let names):
            let found = names.filter { members[$0] != nil }
            guard found.count != 1 else { return }
            log.add(
                pointer, "expected exactly one of \(listed(names)), found \(found.isEmpty ? "none" : listed(found))")
        case .atMostOne(let names):
            let found = names.filter { members[$0] != nil }
            guard found.count > 1 else { return }
            log.add(pointer, "expected at most one of \(listed(names)), found \(listed(found))")
        case .noneWhenReading(let names):
            guard let method = members["method"]?.stringValue.flatMap(RequestMethod.init(rawValue:)), method.isRead
            else { return }
            for name in names where members[name] != nil {
                log.add(pointer.member(name), "expected no body for \(method.rawValue), found \(name); take it out")
            }
        }
    }

    private func check(_ value: JSONValue, _ shape: ArgumentShape, at pointer: PlanPointer) {
        switch shape {
        case .argv: checkArgv(value, at: pointer)
        case .environment: checkEnvironment(value, at: pointer)
        case .file: checkPath(value, for: .file, at: pointer)
        case .flag: checkFlag(value, at: pointer)
        case .folder: checkPath(value, for: .folder, at: pointer)
        case .headers: HeaderCheck(arguments: self).check(value, at: pointer)
        case .instant: checkInstant(value, at: pointer)
        case .integer(let range): checkInteger(value, in: range, at: pointer)
        case .method: checkMethod(value, at: pointer)
        case .mode: checkMode(value, at: pointer)
        case .object: checkObject(value, at: pointer)
        case .script: checkScript(value, at: pointer)
        case .statuses: checkStatuses(value, at: pointer)
        case .text(let bytesMax): checkText(value, bytesMax: bytesMax, at: pointer)
        case .title: checkTitle(value, at: pointer)
        case .url: URLCheck(arguments: self).check(value, at: pointer)
        case .value: break
        }
    }

    // MARK: What every shape uses

    /// Whether the whole value is a template, or a string whose templates cannot be read.
    func isOpen(_ value: JSONValue) -> Bool {
        guard case .string(let text) = value else { return false }
        return OpenText(text)?.isWhollyOpen ?? true
    }

    /// The string, or nil after a fault, or when nothing is known of it.
    func text(_ value: JSONValue, _ expected: String, at pointer: PlanPointer) -> OpenText? {
        guard case .string(let text) = value else {
            log.add(pointer, "expected \(expected), found \(described(value))")
            return nil
        }
        guard let open = OpenText(text), !open.isWhollyOpen else { return nil }
        return open
    }

    func require(_ holds: Bool, at pointer: PlanPointer, _ detail: @autoclosure () -> String) {
        if !holds { log.add(pointer, detail()) }
    }

    /// The longest text that may come out: templates may turn out empty, so only what is known counts.
    func requireBytes(_ text: String, atMost bytesMax: Int, at pointer: PlanPointer) {
        let bytes = text.utf8.count
        require(bytes <= bytesMax, at: pointer, "expected at most \(bytesMax) bytes, found \(bytes)")
    }

    // MARK: Shapes

    private func checkArgv(_ value: JSONValue, at pointer: PlanPointer) {
        if isOpen(value) { return }
        guard case .array(let entries) = value, !entries.isEmpty else {
            return log.add(
                pointer, "expected a non-empty array of strings (program and arguments), found \(described(value))")
        }
        guard entries.count <= ArgumentSchema.argvEntriesMax else {
            return log.add(
                pointer, "expected at most \(ArgumentSchema.argvEntriesMax) entries, found \(entries.count)")
        }
        let texts = entries.indices.compactMap { index in
            processText(entries[index], "a string", at: pointer.element(index))
        }
        let bytes = texts.reduce(0) { $0 + $1.utf8.count + 1 }
        require(
            bytes <= ArgumentSchema.argvBytesMax, at: pointer,
            "expected at most \(ArgumentSchema.argvBytesMax) bytes in all, found \(bytes); pass large values by stdin"
                + " or a file")
        if case .string(let program) = entries[0], program.isEmpty {
            log.add(pointer.element(0), "expected the name of a program, found an empty string")
        }
    }

    /// A string that the kernel hands to a process: without NUL.
    private func processText(_ value: JSONValue, _ expected: String, at pointer: PlanPointer) -> String? {
        guard let open = text(value, expected, at: pointer) else { return nil }
        require(!open.skeleton.utf8.contains(0), at: pointer, "expected text without NUL bytes, found one")
        return open.skeleton
    }

    private func checkScript(_ value: JSONValue, at pointer: PlanPointer) {
        guard let script = processText(value, "the text of a shell script", at: pointer) else { return }
        require(!script.isEmpty, at: pointer, "expected the text of a shell script, found an empty string")
        requireBytes(script, atMost: ArgumentSchema.scriptBytesMax, at: pointer)
    }

    private func checkEnvironment(_ value: JSONValue, at pointer: PlanPointer) {
        if isOpen(value) { return }
        guard case .object(let variables) = value else {
            return log.add(pointer, "expected an object of strings, found \(described(value))")
        }
        guard variables.count <= ArgumentSchema.environmentEntriesMax else {
            return log.add(
                pointer,
                "expected at most \(ArgumentSchema.environmentEntriesMax) variables, found \(variables.count)")
        }
        var bytes = 0
        for (name, value) in variables {
            let place = pointer.member(name)
            checkVariable(name, at: place)
            bytes += name.utf8.count + 2 + (processText(value, "a string", at: place)?.utf8.count ?? 0)
        }
        requireEnvironmentBytes(bytes, at: pointer)
    }

    private func requireEnvironmentBytes(_ bytes: Int, at pointer: PlanPointer) {
        require(
            bytes <= ArgumentSchema.environmentBytesMax, at: pointer,
            "expected at most \(ArgumentSchema.environmentBytesMax) bytes in all, found \(bytes); pass large values by"
                + " stdin or a file")
    }

    private func checkVariable(_ name: String, at pointer: PlanPointer) {
        let bytes = name.utf8
        let isWord = bytes.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
        if bytes.isEmpty || !isWord || bytes.first!.isDigit {
            log.add(
                pointer,
                "expected the name of a variable (letters, digits and _, no digit first), found \(quoted(name))")
        } else if bytes.starts(with: "LD_".utf8) {
            log.add(pointer, "expected no LD_ variable, found \(quoted(name)); the loader's variables are refused")
        }
    }

    private func checkPath(_ value: JSONValue, for target: RelativePath.Target, at pointer: PlanPointer) {
        guard let open = text(value, "a path inside the workdir", at: pointer) else { return }
        if let problem = RelativePath.problem(open.skeleton, for: target) { log.add(pointer, problem) }
    }

    private func checkFlag(_ value: JSONValue, at pointer: PlanPointer) {
        if isOpen(value) || value.boolValue != nil { return }
        log.add(pointer, "expected true or false, found \(described(value))")
    }

    func checkInteger(_ value: JSONValue, in range: ClosedRange<Int64>, at pointer: PlanPointer) {
        if isOpen(value) { return }
        if let number = value.intValue, range.contains(number) { return }
        log.add(
            pointer,
            "expected an integer from \(range.lowerBound) to \(range.upperBound), found \(described(value))")
    }

    private func checkInstant(_ value: JSONValue, at pointer: PlanPointer) {
        guard let open = text(value, "an RFC 3339 time such as 2026-03-01T08:00:00Z", at: pointer), !open.isOpen
        else { return }
        require(
            Timestamp(open.skeleton) != nil, at: pointer,
            "expected an RFC 3339 time such as 2026-03-01T08:00:00Z, found \(quoted(open.skeleton))")
    }

    private func checkMethod(_ value: JSONValue, at pointer: PlanPointer) {
        let names = listed(RequestMethod.allCases.map(\.rawValue))
        guard let open = text(value, "one of \(names)", at: pointer), !open.isOpen else { return }
        require(
            RequestMethod(rawValue: open.skeleton) != nil, at: pointer,
            "expected one of \(names), found \(quoted(open.skeleton))")
    }

    /// Special bits (set-user-id and the like) are refused.
    private func checkMode(_ value: JSONValue, at pointer: PlanPointer) {
        let expected = "permission bits as three octal digits, such as \"0644\""
        guard let open = text(value, expected, at: pointer), !open.isOpen else { return }
        let bytes = Array(open.skeleton.utf8)
        let digits = bytes.count == 4 && bytes[0] == UInt8(ascii: "0") ? bytes[1...] : bytes[...]
        let isOctal = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        require(
            digits.count == 3 && isOctal, at: pointer, "expected \(expected), found \(quoted(open.skeleton))")
    }

    private func checkObject(_ value: JSONValue, at pointer: PlanPointer) {
        if isOpen(value) || value.objectValue != nil { return }
        log.add(pointer, "expected an object, found \(described(value))")
    }

    private func checkStatuses(_ value: JSONValue, at pointer: PlanPointer) {
        let range: ClosedRange<Int64> = 100...599
        guard case .array(let statuses) = value else { return checkInteger(value, in: range, at: pointer) }
        guard (1...ArgumentSchema.statusesMax).contains(statuses.count) else {
            return log.add(
                pointer, "expected 1 to \(ArgumentSchema.statusesMax) statuses, found \(described(value))")
        }
        for (index, status) in statuses.enumerated() { checkInteger(status, in: range, at: pointer.element(index)) }
    }

    private func checkText(_ value: JSONValue, bytesMax: Int, at pointer: PlanPointer) {
        guard let open = text(value, "a string", at: pointer) else { return }
        requireBytes(open.skeleton, atMost: bytesMax, at: pointer)
    }

    private func checkTitle(_ value: JSONValue, at pointer: PlanPointer) {
        guard let open = text(value, "a title", at: pointer) else { return }
        let scalars = open.skeleton.unicodeScalars.count
        require(
            (1...ArgumentSchema.titleScalarsMax).contains(scalars), at: pointer,
            "expected a title of 1 to \(ArgumentSchema.titleScalarsMax) characters, found \(scalars)")
    }
}
