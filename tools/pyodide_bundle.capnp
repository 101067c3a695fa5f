# The message in which workerd expects Pyodide (its own schema is pyodide.capnp in workerd).
@0xd1f4b8c0a7e35291;

struct Bundle {
  modules @0 :List(Module);
}

struct Module {
  name @0 :Text;
  union {
    src @1 :Data;
    wasm @4 :Data;
    data @5 :Data;
    json @6 :Text;
  }
  type @2 :ModuleType;
  tsDeclaration @3 :Text;
  compileCache @7 :Data;
}

enum ModuleType {
  bundle @0;
  builtin @1;
  internal @2;
}
