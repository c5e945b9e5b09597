from moving_average import moving_average


def test_two_neighbours():
    assert moving_average([1, 3, 5], 2) == [2, 4]


def test_one_window():
    assert moving_average([1, 2, 3], 3) == [2]


def test_too_few_values():
    assert moving_average([1], 2) == []
