//! Pools of proxies: who is asked, who rests, who is banned where, and who is blamed in hindsight.
