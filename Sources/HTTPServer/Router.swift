package import HTTP

/// Finds what serves a request: a trie of path templates. Add all routes, then share it; matching changes nothing.
package struct Router<Value: Sendable>: Sendable {
    package enum Match: Sendable {
        case found(Value, parameters: [String: String])
        /// The path exists for other methods: these.
        case methodNotAllowed(allow: [HTTPMethod])
        case notFound
    }

    /// A longer parameter names nothing.
    package static var parameterBytesMax: Int { 100 }

    private var root = Node()

    private struct Node: Sendable {
        var literals: [String: Node] = [:]
        var parameter: [Node] = []
        var routes: [HTTPMethod: (value: Value, parameterNames: [String])] = [:]
    }

    package init() {}

    /// Adds a route. The same method and template twice is a bug.
    package mutating func add(_ method: HTTPMethod, _ template: String, _ value: Value) {
        precondition(template.hasPrefix("/"), "a path template begins with a slash: \(template)")
        var names: [String] = []
        Self.insert(
            template == "/" ? [] : template.dropFirst().split(separator: "/", omittingEmptySubsequences: false)[...],
            into: &root, names: &names, method: method, value: value, template: template)
    }

    /// The route for the target. `HEAD` is served by `GET` unless it has its own route.
    package func match(_ method: HTTPMethod, _ target: HTTPTarget) -> Match {
        var values: [Substring] = []
        guard target.path.utf8.first == UInt8(ascii: "/"),
            let node = Self.find(target.path.dropFirst()[...], root, isRoot: target.path.utf8.count == 1, &values)
        else { return .notFound }
        if let route = node.routes[method] ?? (method == .head ? node.routes[.get] : nil) {
            var parameters: [String: String] = [:]
            for (name, value) in zip(route.parameterNames, values) { parameters[name] = String(value) }
            return .found(route.value, parameters: parameters)
        }
        return .methodNotAllowed(allow: Self.allowed(node))
    }

    private static func allowed(_ node: Node) -> [HTTPMethod] {
        var methods = Set(node.routes.keys)
        if methods.contains(.get) { methods.insert(.head) }
        methods.insert(.options)
        return methods.sorted { $0.rawValue < $1.rawValue }
    }

    private static func insert(
        _ segments: ArraySlice<Substring>, into node: inout Node, names: inout [String], method: HTTPMethod,
        value: Value,
        template: String
    ) {
        guard let segment = segments.first else {
            precondition(node.routes[method] == nil, "two routes for \(method) \(template)")
            node.routes[method] = (value, names)
            return
        }
        if segment.first == "{", segment.last == "}" {
            names.append(String(segment.dropFirst().dropLast()))
            if node.parameter.isEmpty { node.parameter.append(Node()) }
            insert(
                segments.dropFirst(), into: &node.parameter[0], names: &names, method: method, value: value,
                template: template)
        } else {
            insert(
                segments.dropFirst(), into: &node.literals[String(segment), default: Node()], names: &names,
                method: method, value: value, template: template)
        }
    }

    /// A literal segment wins over a parameter; when it leads nowhere the parameter is tried.
    private static func find(
        _ rest: Substring, _ node: Node, isRoot: Bool, _ values: inout [Substring]
    ) -> Node? {
        if isRoot { return node.routes.isEmpty ? nil : node }
        let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/"))
        let segment = rest[..<(slash ?? rest.endIndex)]
        let behind = slash.map { rest[rest.index(after: $0)...] }
        func descend(_ next: Node, _ values: inout [Substring]) -> Node? {
            guard let behind else { return next.routes.isEmpty ? nil : next }
            return find(behind, next, isRoot: false, &values)
        }
        if let next = node.literals[String(segment)], let found = descend(next, &values) { return found }
        guard let next = node.parameter.first, !segment.isEmpty, segment.utf8.count <= parameterBytesMax else {
            return nil
        }
        values.append(segment)
        if let found = descend(next, &values) { return found }
        values.removeLast()
        return nil
    }
}
