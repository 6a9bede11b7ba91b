"""Energy counters: files such as the kernel's, and a library that answers as NVIDIA's."""

import ctypes

import pytest
from training import CPU

from dawn.monitoring import energy
from dawn.monitoring.energy import Counter, Meter, nvml, rapl
from dawn.runtime.clock import Clock


def phase(meter):
    return Clock(CPU, meter).phase("train")


def zone(root, folder, name, used, size=1_000_000_000):
    path = root / folder
    path.mkdir()
    for file, value in (("name", name), ("energy_uj", used), ("max_energy_range_uj", size)):
        (path / file).write_text(f"{value}\n")
    return path / "energy_uj"


def test_packages_and_memory_count_and_their_parts_do_not(tmp_path):
    package = zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    other = zone(tmp_path, "intel-rapl:1", "package-1", 0)
    memory = zone(tmp_path, "intel-rapl:0:1", "dram", 7)
    parts = [zone(tmp_path, f"intel-rapl:{n}", name, 0) for n, name in (("0:0", "core"), ("2", "psys"))]
    parts.append(zone(tmp_path, "intel-rapl-mmio:0", "package-0", 0))
    meter = rapl(tmp_path)
    assert meter.source == "rapl"
    for _ in range(2):
        with phase(meter):
            for file, more in ((package, 3_000_000), (other, 2_000_000), (memory, 500_000)):
                file.write_text(str(int(file.read_text()) + more))
            for file in parts:
                file.write_text(str(int(file.read_text()) + 99_000_000))
    assert meter.joules == {"train": pytest.approx(11.0)}


def test_a_counter_that_starts_anew_is_followed(tmp_path):
    package = zone(tmp_path, "intel-rapl:0", "package-0", 999_000_000, size=999_999_999)
    meter = rapl(tmp_path)
    with phase(meter):
        package.write_text("2000000")
    assert meter.joules["train"] == pytest.approx(3.0)


def test_a_phase_in_which_it_may_have_started_anew_twice_has_no_figure():
    counter = Counter(lambda: 0, 1e-6, 1_000_000_000)  # 1000 J: at 600 W once in 1.7 s
    assert counter.between(5, 4_000_005, 1.6) == pytest.approx(4.0)
    assert counter.between(5, 4_000_005, 1.7) is None


def test_what_cannot_be_read_has_no_figure(tmp_path):
    assert rapl(tmp_path / "nowhere").counters == ()
    hidden = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    meter = rapl(tmp_path)
    with phase(meter):
        hidden.unlink()  # as when the kernel takes the right to read away
    assert meter.joules == {"train": None}
    assert rapl(tmp_path).source is None
    silent = Meter()
    with phase(silent):
        pass
    assert silent.joules == {}


def test_a_phase_that_raises_is_counted(tmp_path):
    package = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = rapl(tmp_path)
    with pytest.raises(KeyError), phase(meter):
        package.write_text("4000000")
        raise KeyError
    assert meter.joules["train"] == pytest.approx(4.0)


class Library:
    """Answers as libnvidia-ml does: 0 is success, values come through pointers."""

    def __init__(self, known="GPU-1", counts=True):
        self.known, self.counts, self.millijoules = known, counts, 10_000

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid, handle):
        handle._obj.value = 77
        return 0 if uuid == self.known.encode() else 6

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, count):
        assert handle.value == 77
        count._obj.value = self.millijoules
        return 0 if self.counts else 3


def test_a_gpu_is_read_through_nvml(monkeypatch):
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    meter = nvml("GPU-1")
    assert meter.source == "nvml"
    with phase(meter):
        library.millijoules += 2_500
    assert meter.joules["train"] == pytest.approx(2.5)
    assert nvml("GPU-2").source is None


def test_a_gpu_that_does_not_count_and_a_machine_without_one_have_no_counter(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library(counts=False))
    assert nvml("GPU-1").source is None

    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(energy.ctypes, "CDLL", missing)
    assert nvml("GPU-1").source is None
