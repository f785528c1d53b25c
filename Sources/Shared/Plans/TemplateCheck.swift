import JSON

/// Checks the templates in the arguments of a step: whether they can be read, and whether what they name is there.
struct TemplateCheck {
    let tool: Tool?
    let log: FaultLog

    /// What the templates of one step may refer to.
    struct Scope {
        let step: PlanStepID?
        /// All steps of the plan.
        let known: Set<PlanStepID>
        /// The steps that it needs, directly or not.
        let needed: Set<PlanStepID>
    }

    /// Checks arguments as they stand in a plan.
    func check(_ arguments: JSONValue, in scope: Scope, at pointer: PlanPointer) {
        visit(arguments, at: pointer, names: true) { reference, place in checkReference(reference, in: scope, at: place)
        }
        if tool == .shell, let argv = arguments.objectValue?["argv"]?.arrayValue {
            checkShellLine(argv, at: pointer.member("argv"))
        }
    }

    /// Checks the arguments of a call: only secrets may still be open.
    func checkResolved(_ arguments: JSONValue, at pointer: PlanPointer) {
        visit(arguments, at: pointer, names: false) { reference, place in
            if case .secret = reference { return }
            log.add(place, "expected resolved arguments, found the template \(reference); resolve it before the call")
        }
    }

    /// Where a string stands, as far as templates care.
    private enum Place { case argv, script, approval, elsewhere }

    private func visit(
        _ arguments: JSONValue, at pointer: PlanPointer, names: Bool,
        _ body: (TemplateReference, PlanPointer) -> Void
    ) {
        guard case .object(let members) = arguments else { return }
        for (name, value) in members {
            if names { checkName(name, at: pointer.member(name)) }
            walk(value, at: pointer.member(name), place: place(of: name), names: names, body)
        }
    }

    private func place(of name: String) -> Place {
        switch tool {
        case .approval: .approval
        case .shell: name == "argv" ? .argv : name == "script" ? .script : .elsewhere
        case .agent, .fileList, .fileRead, .fileWrite, .http, .message, .model, .sleep, nil: .elsewhere
        }
    }

    private func walk(
        _ value: JSONValue, at pointer: PlanPointer, place: Place, names: Bool,
        _ body: (TemplateReference, PlanPointer) -> Void
    ) {
        switch value {
        case .null, .bool, .integer, .number: break
        case .string(let text): checkText(text, at: pointer, place: place, body)
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                walk(element, at: pointer.element(index), place: place, names: names, body)
            }
        case .object(let members):
            for (name, value) in members {
                if names { checkName(name, at: pointer.member(name)) }
                walk(value, at: pointer.member(name), place: place, names: names, body)
            }
        }
    }

    private func checkName(_ name: String, at pointer: PlanPointer) {
        guard (try? Template(parsing: name).references.isEmpty) != true else { return }
        log.add(pointer, "expected templates in values only, found one in the name of a member")
    }

    private func checkText(
        _ text: String, at pointer: PlanPointer, place: Place, _ body: (TemplateReference, PlanPointer) -> Void
    ) {
        do throws(TemplateError) {
            let references = try Template(parsing: text).references
            if let problem = Self.problem(references, in: place) { return log.add(pointer, problem) }
            for reference in references { body(reference, pointer) }
        } catch {
            log.add(pointer, error.detail)
        }
    }

    private static func problem(_ references: [TemplateReference], in place: Place) -> String? {
        let hasSecret = references.contains { if case .secret = $0 { true } else { false } }
        switch place {
        case .script:
            return references.isEmpty
                ? nil : "expected a script without templates, found one; pass the value through env and use $NAME"
        case .argv:
            return hasSecret
                ? "expected no secret in argv, where other users can see it, found one; pass it through env" : nil
        case .approval:
            return hasSecret ? "expected no secret in an approval, which people read, found one; take it out" : nil
        case .elsewhere: return nil
        }
    }

    private func checkReference(_ reference: TemplateReference, in scope: Scope, at pointer: PlanPointer) {
        guard case .step(let id, _) = reference else { return }
        if !scope.known.contains(id) {
            log.add(pointer, "expected the id of a step of this plan in the template, found \(quoted(id.rawValue))")
        } else if id == scope.step {
            log.add(pointer, "expected the output of an earlier step in the template, found that of this step itself")
        } else if !scope.needed.contains(id) {
            log.add(
                pointer,
                "expected a template to name a step that this one needs, found \(quoted(id.rawValue)); add it to needs")
        }
    }

    /// A template is never spliced into a shell line, also not by `sh -c`.
    private func checkShellLine(_ argv: [JSONValue], at pointer: PlanPointer) {
        guard let index = Self.shellLine(argv.map { $0.stringValue ?? "" }) else { return }
        guard let line = argv[index].stringValue.flatMap(OpenText.init), line.isOpen else { return }
        log.add(
            pointer.element(index),
            "expected a shell line without templates, found one; pass the value through env, or as a later argument")
    }

    /// Where the line of `sh -c line` stands.
    private static func shellLine(_ argv: [String]) -> Int? {
        let shells: Set<String> = ["ash", "bash", "dash", "fish", "ksh", "mksh", "sh", "zsh"]
        guard let program = argv.first?.split(separator: "/").last, shells.contains(String(program)) else { return nil }
        let option = argv.firstIndex { word in
            let bytes = word.utf8
            return bytes.first == UInt8(ascii: "-") && bytes.last == UInt8(ascii: "c")
                && bytes.dropFirst().allSatisfy(\.isLetter)
        }
        guard let option else { return nil }
        return argv.indices.first { $0 > option && !argv[$0].utf8.starts(with: "-".utf8) }
    }
}
