# Sourced by the bench scripts, from the root of the repository: installs the programs that Shorewatch is measured
# against (python3-gdal from Debian; rasterio into out/bench/venv). What is there is left as it is.
rasterio=1.4.4
venv=out/bench/venv

peers_say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }
peers_fail() { peers_say "$*" >&2; exit 1; }

set_up_peers() {
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    mkdir -p out/bench
    if ! /usr/bin/python3 -c 'import numpy, osgeo' 2>/dev/null || ! command -v gdal_polygonize.py >/dev/null; then
        peers_say "installing python3-gdal"
        "${root[@]}" apt-get update -qq || peers_fail "apt-get update failed; check the network, then run this again"
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            python3-gdal gdal-bin >/dev/null \
            || peers_fail "could not install python3-gdal; run this again, or install it by hand"
    fi
    if ! "$venv/bin/python" -c "import numpy, rasterio, sys; sys.exit(rasterio.__version__ != '$rasterio')" 2>/dev/null; then
        peers_say "installing rasterio $rasterio into $venv"
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet "rasterio==$rasterio" numpy \
            || peers_fail "could not install rasterio; check the network, then run this again"
    fi
}
