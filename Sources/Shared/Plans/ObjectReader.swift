import JSON

/// Reads the members of one object of a plan and reports what is wrong with them.
struct ObjectReader {
    let members: JSONObject
    let pointer: PlanPointer
    let log: FaultLog

    /// Nil, after a fault, when the value is no object. Members with other names are faults.
    init?(_ value: JSONValue, _ what: String, at pointer: PlanPointer, allowing names: [String], log: FaultLog) {
        guard case .object(let members) = value else {
            log.add(pointer, "expected \(what) to be an object, found \(described(value))")
            return nil
        }
        self.members = members
        self.pointer = pointer
        self.log = log
        for (name, _) in members where !names.contains(name) {
            log.add(pointer.member(name), "expected one of \(listed(names)), found \(quoted(name)); take it out")
        }
    }

    subscript(name: String) -> JSONValue? { members[name] }

    func place(_ name: String) -> PlanPointer { pointer.member(name) }

    func missing(_ name: String, _ expected: String) {
        log.add(place(name), "expected \(expected), found nothing; add it")
    }

    /// Text that is shown or used as it is; templates are only read inside `with`.
    func text(_ name: String, _ expected: String) -> String? {
        guard let value = members[name] else { return nil }
        guard case .string(let text) = value else {
            log.add(place(name), "expected \(expected), found \(described(value))")
            return nil
        }
        guard OpenText(text)?.isOpen == false else {
            log.add(place(name), "expected \(expected) without a template, found one; templates are read in with only")
            return nil
        }
        return text
    }

    func title(_ name: String) -> String? {
        guard let text = text(name, "a title") else { return nil }
        let scalars = text.unicodeScalars.count
        if scalars <= PlanStep.titleScalarsMax { return text }
        log.add(place(name), "expected a title of at most \(PlanStep.titleScalarsMax) characters, found \(scalars)")
        return nil
    }

    func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = members[name] else { return nil }
        if let number = value.intValue, let small = Int(exactly: number), range.contains(small) { return small }
        log.add(
            place(name),
            "expected an integer from \(range.lowerBound) to \(range.upperBound), found \(described(value))")
        return nil
    }

    func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = members[name] else { return nil }
        if let number = value.doubleValue, range.contains(number) { return number }
        log.add(
            place(name), "expected a number from \(range.lowerBound) to \(range.upperBound), found \(described(value))")
        return nil
    }

    func flag(_ name: String) -> Bool? {
        guard let value = members[name] else { return nil }
        if let flag = value.boolValue { return flag }
        log.add(place(name), "expected true or false, found \(described(value))")
        return nil
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, of: Choice.Type) -> Choice? {
        guard let value = members[name] else { return nil }
        if let choice = value.stringValue.flatMap(Choice.init(rawValue:)) { return choice }
        let found = value.stringValue.map(quoted) ?? described(value)
        log.add(place(name), "expected one of \(listed(Choice.allCases.map(\.rawValue))), found \(found)")
        return nil
    }

    /// The elements of an array with their places; none, after a fault, when it is no array or too long.
    func elements(_ name: String, _ what: String, atMost max: Int) -> [(value: JSONValue, place: PlanPointer)] {
        guard let value = members[name] else { return [] }
        guard case .array(let elements) = value else {
            log.add(place(name), "expected an array of \(what), found \(described(value))")
            return []
        }
        guard elements.count <= max else {
            log.add(place(name), "expected at most \(max) \(what), found \(elements.count)")
            return []
        }
        return elements.enumerated().map { ($1, place(name).element($0)) }
    }
}
