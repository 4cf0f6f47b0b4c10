(* What a certificate claims, in plain terms, over an arbitrary ordered field R (the rationals, the reals): this page is what has
   to be read to know what `exactrelu-check` proves.  P1 and P2 of the theory; sections 2 and 3 of FORMAT.md. *)
From Coq Require Import ZArith List.
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Certificate Integers Polyhedron.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Claims.
Variable R : realFieldType.

(* ---------- the network ---------- *)

(* 2^e *)
Definition two (e : Z) : R := if Z.leb 0 e then 2%:R ^+ Z.to_nat e else (2%:R ^+ Z.to_nat (Z.opp e))^-1.
(* the value of a row at x *)
Definition row_at (x : seq R) (r : row) : R := (embed (constant r) + dotR (coefficients r) x) * two (exponent r).
(* x |-> relu(z) where a relu follows, z where none does *)
Definition layer_at (l : layer) (x : seq R) : seq R :=
  [seq (if rb.2 then Num.max 0 (row_at x rb.1) else row_at x rb.1) | rb <- zip (rows l) (rectified l)].
Definition layers_at (ls : seq layer) (x : seq R) : seq R := foldl (fun x l => layer_at l x) x ls.

(* every layer takes what the one before it gives, row by row *)
Fixpoint widths_agree (n : nat) (ls : seq layer) : Prop :=
  if ls is l :: ls' then
    [/\ inputs l = n, size (rectified l) = size (rows l),
        forall r, List.In r (rows l) -> size (coefficients r) = inputs l & widths_agree (size (rows l)) ls']
  else True.

(* ---------- points and domains ---------- *)

Definition rational (p : point) : seq R := [seq embed v / embed (denominator p) | v <- numerators p].
(* p is a point of R^n *)
Definition is_point (n : nat) (p : point) : Prop := Z.lt 0 (denominator p) /\ size (numerators p) = n.

Definition is_domain (n : nat) (K : domain) : Prop :=
  match K with
  | AllSpace | Orthant => True
  | Box lower upper => is_point n lower /\ is_point n upper
  | Polytope sides => forall s, List.In s sides -> size s.2 = n
  end.
Definition in_domain (n : nat) (K : domain) (x : seq R) : Prop :=
  match K with
  | AllSpace => True
  | Orthant => forall j, (j < n)%N -> 0 <= nth 0 x j
  | Box lower upper => forall j, (j < n)%N -> nth 0 (rational lower) j <= nth 0 x j <= nth 0 (rational upper) j
  | Polytope sides => forall s, List.In s sides -> embed s.1 + dotR s.2 x <= 0
  end.

(* ---------- the pre-image of y under a layer, within a domain ---------- *)

Definition coordinates n (x : 'cV[R]_n) : seq R := [seq x i 0 | i <- enum 'I_n].
Definition preimage (l : layer) (K : domain) (y : seq R) (x : 'cV[R]_(inputs l)) : Prop :=
  in_domain (inputs l) K (coordinates x) /\ layer_at l (coordinates x) = y.

Definition bounded n (X : 'cV[R]_n -> Prop) : Prop := exists M, forall x, X x -> forall i, `|x i 0| <= M.

(* A_P: the rows that no relu follows or whose output is positive *)
Definition active (rby : row * bool * R) : bool := ~~ rby.1.2 || (0 < rby.2).
Definition active_list (l : layer) (y : seq R) : seq row :=
  [seq rby.1.1 | rby <- zip (zip (rows l) (rectified l)) y & active rby].
Definition row_vector n (r : row) : 'rV[R]_n := \row_j (embed (nth Z0 (coefficients r) j) * two (exponent r)).
Definition active_matrix (l : layer) (y : seq R) : 'M[R]_(size (active_list l y), inputs l) :=
  \matrix_(i, j) row_vector (inputs l) (nth (Row Z0 Z0 [::]) (active_list l y) i) 0 j.

(* ---------- what is claimed ---------- *)

(* the output that is spoken of, for a layer l after the layers `before` *)
Definition output (before : seq layer) (l : layer) (s : subject) : seq R :=
  match s with
  | NetworkInput p => layer_at l (layers_at before (rational p))
  | LayerInput p => layer_at l (rational p)
  | LayerOutput p => rational p
  end.
Definition is_subject (net : network) (l : layer) (s : subject) : Prop :=
  match s with
  | NetworkInput p => is_point (network_inputs net) p
  | LayerInput p => is_point (inputs l) p
  | LayerOutput p => is_point (size (rows l)) p
  end.

Definition size_claim n (X : 'cV[R]_n -> Prop) (size : cardinality) (dimension : nat) : Prop :=
  match size with
  | Singleton => dimension = 0%N /\ exists x, forall x', X x' <-> x' = x
  | Bounded => (0 < dimension)%N /\ bounded X
  | Unbounded => (0 < dimension)%N /\ ~ bounded X
  | Infinite => (0 < dimension)%N
  end.

(* The claim of a certificate c of the network net: a layer l with the layers `before` it is meant, the data are well formed, and
   for the pre-image X of its output y: X is empty; or X is not empty and has the size, the dimension, the rank of A_P and the
   number of positive outputs that are claimed. *)
Definition claim_holds (net : network) (c : certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ scope_layer c = (size before).+1,
        widths_agree (network_inputs net) (layers net),
        is_subject net l (about c), is_domain (inputs l) (on c) &
        let y := output before l (about c) in
        let X := @preimage l (on c) y in
        match claimed c with
        | Empty => forall x, ~ X x
        | Preimage size dimension rank positive =>
            [/\ exists x, X x, affine_dimension X dimension, size_claim X size dimension,
                \rank (active_matrix l y) = rank & count (fun v => 0 < v) y = positive]
        end].

(* ---------- what is claimed of several layers, one after the other ---------- *)

(* the inputs of the layers ls, within a domain, whose output is y *)
Definition preimage_through (ls : seq layer) n (K : domain) (y : seq R) (x : 'cV[R]_n) : Prop :=
  in_domain n K (coordinates x) /\ layers_at ls (coordinates x) = y.

(* no finite list holds all of X *)
Definition infinite n (X : 'cV[R]_n -> Prop) : Prop := forall s : seq 'cV[R]_n, exists2 x, X x & x \notin s.

(* X has exactly k elements *)
Definition finite n (X : 'cV[R]_n -> Prop) (k : nat) : Prop :=
  exists s : seq 'cV[R]_n, [/\ uniq s, size s = k & forall x, X x <-> x \in s].

Definition through_output (ls : seq layer) (e : endpoint) : seq R :=
  match e with InputOf p => layers_at ls (rational p) | OutputOf p => rational p end.

Definition through_size n (X : 'cV[R]_n -> Prop) (size : cardinality) : Prop :=
  match size with
  | Singleton => exists x, forall x', X x' <-> x' = x
  | Bounded => infinite X /\ bounded X
  | Unbounded => infinite X /\ ~ bounded X
  | Infinite => infinite X
  end.

(* The claim of a certificate c through several layers of the network net: the layers up to some layer l are meant, the data are
   well formed, and for the set X of the network's inputs in the domain from which these layers make the output y: X is empty; or X
   has exactly one element, or as many as is claimed, or infinitely many and is bounded or not as is claimed, and y has the number of
   positive entries. *)
Definition through_claim_holds (net : network) (c : through_certificate) : Prop :=
  exists (before : seq layer) (l : layer) (after : seq layer),
    [/\ layers net = before ++ l :: after /\ last_layer c = (size before).+1,
        widths_agree (network_inputs net) (layers net),
        match through_about c with InputOf p => is_point (network_inputs net) p | OutputOf p => is_point (size (rows l)) p end,
        is_domain (network_inputs net) (through_on c) &
        let y := through_output (rcons before l) (through_about c) in
        let X := @preimage_through (rcons before l) (network_inputs net) (through_on c) y in
        match through_claimed c with
        | NoInput => forall x, ~ X x
        | Inputs size positive => through_size X size /\ count (fun v => 0 < v) y = positive
        | FiniteInputs k positive => finite X k /\ count (fun v => 0 < v) y = positive
        end].

End Claims.
