# Sourced by the other scripts: the project's own virtual environment, .venv.
# Needs: root (the project's folder). Leaves: venv_python.

say() { printf '==> %s\n' "$*"; }

# Makes .venv unless it is there with the interpreter asked for (PYTHON, default python3).
make_venv() {
  local python=${PYTHON:-python3} wanted found=none
  wanted=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || {
    say "no usable Python: '$python' does not run; set PYTHON to Python 3.10 or later" >&2
    return 1
  }
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    say "Python 3.10 or later is needed and '$python' is $wanted; set PYTHON to another one" >&2
    return 1
  fi
  venv_python=$root/.venv/bin/python
  if [ -x "$venv_python" ]; then
    found=$("$venv_python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' || echo broken)
  fi
  # An environment that works is kept, whatever its version, unless PYTHON asks for another.
  if [ "$found" = "$wanted" ] || { [ -z "${PYTHON:-}" ] && [[ "$found" == 3.* ]]; }; then
    return
  fi
  say "making .venv with Python $wanted"
  "$python" -m venv --clear "$root/.venv"
}

# install_package [EXTRA...]: the package, editable, with extras; only if something has changed since.
# What was installed with an extra also serves where none is asked for.
install_package() {
  local named=${*:-} wanted extra installed=yes
  named=${named:+[${named// /,}]}
  make_venv
  wanted="$(cksum <"$root/pyproject.toml") $root"
  "$venv_python" -c 'import importlib.metadata as m; m.version("hybridflow")' 2>/dev/null ||
    installed=no
  for extra in "${@:-*}"; do
    # One of them, where any serves.
    cat "$root"/.venv/hybridflow-installed-$extra 2>/dev/null | grep -qxF "$wanted" || installed=no
  done
  if [ "$installed" = yes ]; then
    say "hybridflow$named is installed in .venv and up to date"
    return
  fi
  say "installing hybridflow$named into .venv"
  "$venv_python" -m pip --disable-pip-version-check install --quiet --editable "$root$named"
  for extra in "${@:-alone}"; do
    printf '%s\n' "$wanted" >"$root/.venv/hybridflow-installed-$extra"
  done
}
