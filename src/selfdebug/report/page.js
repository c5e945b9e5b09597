const form = document.querySelector('.filters');
const cards = [...document.querySelectorAll('#episodes .episode')];
const shown = document.getElementById('shown');
const unfold = document.getElementById('unfold');

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const words = wanted.words.toLowerCase();
  let count = 0;
  for (const card of cards) {
    const fits = (name) => !wanted[name] || card.dataset[name] === wanted[name];
    const found = card.textContent.toLowerCase().includes(words);
    card.hidden = !found || !['outcome', 'language', 'kind'].every(fits);
    count += card.hidden ? 0 : 1;
  }
  shown.textContent = count === cards.length ? count : count + ' of ' + cards.length;
}

form.addEventListener('input', filter);
form.addEventListener('submit', (event) => event.preventDefault());
unfold.addEventListener('click', () => {
  const open = unfold.textContent === 'Unfold all';
  for (const card of cards) if (!card.hidden) card.open = open;
  unfold.textContent = open ? 'Fold all' : 'Unfold all';
});
filter();
