import Glibc

func symlinkForTest(_ target: String, _ link: String) -> Bool { symlink(target, link) == 0 }
