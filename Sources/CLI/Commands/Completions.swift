/// Shell completions, made from the table of commands. Ids are asked for by calling `aos completions ids`.
package struct Completions: Sendable {
    package enum Shell: String, CaseIterable, Sendable { case bash, zsh, fish }

    /// What may stand in a place.
    enum Candidates: Hashable, Sendable {
        case nothing, files
        case ids(ThingKind)
        case words([String])
    }

    private let commands: [Command]

    package init(_ commands: [Command]) { self.commands = commands }

    package func script(for shell: Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    // MARK: What stands where

    static func candidates(_ argument: Argument) -> Candidates {
        if let choices = argument.choices { return .words(choices) }
        if let kind = kinds[argument] { return .ids(kind) }
        return argument == .plan ? .files : .nothing
    }

    private static let kinds: [Argument: ThingKind] = [
        .approval: .approval, .anyID: .run, .artifact: .artifact, .call: .call, .engine: .engine,
        .experiment: .experiment, .incident: .incident, .lesson: .lesson, .message: .message, .room: .room, .run: .run,
        .scorecard: .scorecard, .step: .step, .thread: .thread,
    ]

    static func candidates(_ option: Option) -> Candidates {
        if case .choice(let words) = option.value { return .words(words) }
        if let kind = optionKinds[option] { return .ids(kind) }
        return option == .output ? .files : .nothing
    }

    private static let optionKinds: [Option: ThingKind] = [
        .experiment: .experiment, .incident: .incident, .room: .room, .run: .run, .step: .step, .thread: .thread,
    ]

    private var options: [Option] {
        commands.flatMap(\.allOptions).reduce(into: [Option]()) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func takesValue(_ option: Option) -> Bool {
        switch option.value {
        case .none, .optional: false
        case .text, .integer, .choice: true
        }
    }

    /// The options whose next word is theirs, in all spellings.
    private var valued: [String] { options.filter(Self.takesValue).flatMap(Self.spellings) }

    private static func spellings(_ option: Option) -> [String] {
        ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
    }

    /// Every way to call every command: the words, and the command they stand for.
    private var paths: [(words: [String], command: Command)] {
        commands.flatMap { command in ([command.path] + command.aliases).map { ($0, command) } }
    }

    /// What may stand first, each once, with what it does.
    private var firstWords: [(word: String, summary: String)] {
        var found: [(String, String)] = []
        for (words, _) in paths where !found.contains(where: { $0.0 == words[0] }) {
            let whole = paths.first { $0.words == [words[0]] }?.command.summary
            found.append((words[0], whole ?? verbs(of: words[0]).map(\.word).joined(separator: ", ")))
        }
        return found.sorted { $0.0 < $1.0 }
    }

    private var nouns: [String] { firstWords.map(\.word).filter { !verbs(of: $0).isEmpty } }

    private func verbs(of noun: String) -> [(word: String, summary: String)] {
        paths.filter { $0.words.count == 2 && $0.words[0] == noun }.map { ($0.words[1], $0.command.summary) }
    }

    // MARK: bash

    private var bash: String {
        var text = """
            # bash completion for aos, printed by `aos completions bash`.
            # Once: aos completions bash > ~/.local/share/bash-completion/completions/aos

            _aos_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
            _aos_files() { mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; }
            _aos_ids() { _aos_words "$(aos completions ids "$1" 2>/dev/null | cut -f1)"; }

            _aos() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command="" count=0 word index skip=""
                local -a plain=()
                COMPREPLY=()
                for ((index = 1; index < COMP_CWORD; index++)); do
                    word=${COMP_WORDS[index]}
                    if [[ -n $skip ]]; then skip=""; continue; fi
                    case $word in
                        \(valued.joined(separator: "|"))) skip=1 ;;
                        -*) ;;
                        *) plain+=("$word") ;;
                    esac
                done
                count=${#plain[@]}
                case "${plain[0]-} ${plain[1]-}" in

            """
        for command in commands {
            let names = paths.filter { $0.command.path == command.path && $0.words.count == 2 }.map {
                "\"\($0.words.joined(separator: " "))\""
            }
            if !names.isEmpty {
                text += "        \(names.joined(separator: "|"))) command=\"\(command.name)\" count=$((count - 2)) ;;\n"
            }
        }
        text += "        *) case \"${plain[0]-}\" in\n"
        for command in commands {
            let names = paths.filter { $0.command.path == command.path && $0.words.count == 1 }.map(\.words[0])
            if !names.isEmpty {
                text +=
                    "            \(names.joined(separator: "|"))) command=\"\(command.name)\" count=$((count - 1)) ;;\n"
            }
        }
        text += "        esac ;;\n    esac\n    case $prev in\n"
        for option in options where Self.takesValue(option) {
            text +=
                "        \(Self.spellings(option).joined(separator: "|"))) \(bash(Self.candidates(option))); return ;;\n"
        }
        text += "    esac\n    if [[ $cur == -* ]]; then\n        case $command in\n"
        for command in commands {
            let words = command.allOptions.map { "--\($0.name)" }.joined(separator: " ")
            text += "            \"\(command.name)\") _aos_words \"\(words)\" ;;\n"
        }
        text += "            *) _aos_words \"--help --version\" ;;\n        esac\n        return\n    fi\n"
        text += "    case ${#plain[@]} in\n"
        text += "        0) _aos_words \"\(firstWords.map(\.word).joined(separator: " "))\"; return ;;\n"
        text += "        1) case ${plain[0]} in\n"
        for noun in nouns {
            let words = verbs(of: noun).map(\.word).joined(separator: " ")
            text += "            \(noun)) _aos_words \"\(words)\"; [[ -n $command ]] || return ;;\n"
        }
        text += "        esac ;;\n    esac\n    case \"$command:$count\" in\n"
        for command in commands {
            for (index, argument) in command.arguments.enumerated() where Self.candidates(argument) != .nothing {
                text += "        \"\(command.name):\(index)\") \(bash(Self.candidates(argument))) ;;\n"
            }
        }
        return text + "    esac\n}\ncomplete -F _aos aos\n"
    }

    private func bash(_ candidates: Candidates) -> String {
        switch candidates {
        case .nothing: ":"
        case .files: "_aos_files"
        case .ids(let kind): "_aos_ids \(kind.rawValue)"
        case .words(let words): "_aos_words \"\(words.joined(separator: " "))\""
        }
    }

    // MARK: zsh

    private var zsh: String {
        var text = """
            #compdef aos
            # zsh completion for aos, printed by `aos completions zsh`.
            # Once: aos completions zsh > "${fpath[1]}/_aos"

            _aos_ids() {
                local -a ids
                ids=(${(f)"$(aos completions ids $1 2>/dev/null)"})
                # `id<tab>words` becomes what _describe reads.
                ids=("${(@)ids//:/\\:}")
                ids=("${(@)ids/$'\\t'/:}")
                _describe -V 'id' ids
            }

            _aos() {
                local command="" word skip="" prev=${words[CURRENT-1]} count
                local -a plain list
                for word in "${(@)words[2,CURRENT-1]}"; do
                    if [[ -n $skip ]]; then skip=""; continue; fi
                    case $word in
                        (\(valued.joined(separator: "|"))) skip=1 ;;
                        (-*) ;;
                        (*) plain+=("$word") ;;
                    esac
                done
                count=${#plain}
                case "${plain[1]-} ${plain[2]-}" in

            """
        for command in commands {
            let names = paths.filter { $0.command.path == command.path && $0.words.count == 2 }.map {
                "\"\($0.words.joined(separator: " "))\""
            }
            if !names.isEmpty {
                text +=
                    "        (\(names.joined(separator: "|"))) command=\"\(command.name)\"; count=$((count - 2)) ;;\n"
            }
        }
        text += "        (*) case \"${plain[1]-}\" in\n"
        for command in commands {
            let names = paths.filter { $0.command.path == command.path && $0.words.count == 1 }.map(\.words[0])
            if !names.isEmpty {
                text +=
                    "            (\(names.joined(separator: "|"))) command=\"\(command.name)\"; count=$((count - 1)) ;;\n"
            }
        }
        text += "        esac ;;\n    esac\n    case $prev in\n"
        for option in options where Self.takesValue(option) {
            text +=
                "        (\(Self.spellings(option).joined(separator: "|"))) \(zsh(Self.candidates(option))); return ;;\n"
        }
        text += "    esac\n    if [[ $PREFIX == -* ]]; then\n        case $command in\n"
        for command in commands {
            let words = command.allOptions.map { Self.described("--\($0.name)", $0.help) }.joined(separator: " ")
            text += "            (\"\(command.name)\") list=(\(words)) ;;\n"
        }
        text +=
            "            (*) list=(--help --version) ;;\n        esac\n        _describe 'option' list\n        return\n    fi\n"
        let first = firstWords.map { Self.described($0.word, $0.summary) }.joined(separator: " ")
        text +=
            "    if (( ${#plain} == 0 )); then\n        list=(\(first))\n        _describe 'command' list\n        return\n    fi\n"
        text += "    if (( ${#plain} == 1 )); then\n        case ${plain[1]} in\n"
        for noun in nouns {
            let words = verbs(of: noun).map { Self.described($0.word, $0.summary) }.joined(separator: " ")
            text += "            (\(noun)) list=(\(words)); _describe 'verb' list; [[ -n $command ]] || return ;;\n"
        }
        text += "        esac\n    fi\n    case \"$command:$count\" in\n"
        for command in commands {
            for (index, argument) in command.arguments.enumerated() where Self.candidates(argument) != .nothing {
                text += "        (\"\(command.name):\(index)\") \(zsh(Self.candidates(argument))) ;;\n"
            }
        }
        return text + "    esac\n}\n\nif [[ $funcstack[1] == _aos ]]; then _aos \"$@\"; else compdef _aos aos; fi\n"
    }

    private func zsh(_ candidates: Candidates) -> String {
        switch candidates {
        case .nothing: "_message value"
        case .files: "_files"
        case .ids(let kind): "_aos_ids \(kind.rawValue)"
        case .words(let words): "compadd -- \(words.joined(separator: " "))"
        }
    }

    private static func described(_ word: String, _ text: String) -> String {
        quoted("\(word):\(text.replacing(":", with: "\\:"))")
    }

    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }

    // MARK: fish

    private var fish: String {
        var text = """
            # fish completion for aos, printed by `aos completions fish`.
            # Once: aos completions fish > ~/.config/fish/completions/aos.fish

            function __aos_plain
                set -l skip ''
                for word in (commandline -opc)[2..-1]
                    if test -n "$skip"
                        set skip ''
                        continue
                    end
                    switch $word
                        case \(valued.joined(separator: " "))
                            set skip 1
                        case '-*'
                        case '*'
                            echo $word
                    end
                end
            end
            # Whether the words so far are exactly these.
            function __aos_at
                set -l plain (__aos_plain)
                test "$argv" = "$plain"
            end
            # Whether the words so far begin with these, after a count of arguments.
            function __aos_in
                set -l plain (__aos_plain)
                set -l path $argv[2..-1]
                set -l length (count $path)
                test (count $plain) -ge $length; or return 1
                test "$path" = "$plain[1..$length]"; or return 1
                test $argv[1] = any; or test (math (count $plain) - $length) -eq $argv[1]
            end
            complete -c aos -f
            complete -c aos -n 'test (count (__aos_plain)) -eq 0' -s h -l help -d 'what a command does'
            complete -c aos -n 'test (count (__aos_plain)) -eq 0' -l version -d 'the version'

            """
        for (word, summary) in firstWords {
            text += "complete -c aos -n 'test (count (__aos_plain)) -eq 0' -a \(word) -d \(Self.quoted(summary))\n"
        }
        for noun in nouns {
            for (verb, summary) in verbs(of: noun) {
                text += "complete -c aos -n '__aos_at \(noun)' -a \(verb) -d \(Self.quoted(summary))\n"
            }
        }
        for (words, command) in paths {
            let path = words.joined(separator: " ")
            for option in command.allOptions {
                var line = "complete -c aos -n '__aos_in any \(path)' -l \(option.name)"
                if let short = option.short { line += " -s \(short)" }
                if Self.takesValue(option) { line += fish(Self.candidates(option)) }
                text += "\(line) -d \(Self.quoted(option.help))\n"
            }
            for (index, argument) in command.arguments.enumerated() where Self.candidates(argument) != .nothing {
                let candidates = fish(Self.candidates(argument)).replacing(" -r -F", with: " -F").replacing(
                    " -x", with: "")
                text += "complete -c aos -n '__aos_in \(index) \(path)'\(candidates)\n"
            }
        }
        return text
    }

    private func fish(_ candidates: Candidates) -> String {
        switch candidates {
        case .nothing: " -x"
        case .files: " -r -F"
        case .ids(let kind): " -x -a '(aos completions ids \(kind.rawValue) 2>/dev/null)'"
        case .words(let words): " -x -a '\(words.joined(separator: " "))'"
        }
    }
}
